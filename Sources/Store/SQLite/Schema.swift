// The tables of a store, and how its connections are set up. The figures of pages and caches were measured.

import GRDB

enum Schema {
    /// "fkmx", in the header of the file: what has another number is somebody else's.
    static let applicationID: Int32 = 0x666b_6d78
    /// Of the newest migration.
    static let version: UInt32 = 2

    static let pageSize = 4096
    /// Of the writer and of each reader.
    static let writerCache_KiB = 8192
    static let readerCache_KiB = 2048
    static let readers = 3
    /// The log is copied into the database, beside the writer, when it has so many pages;
    static let checkpointPages = 1000
    /// and by the writer itself, which waits for it, when it has so many: copying beside it could not keep up.
    static let mostLogPages = 8 * checkpointPages
    /// What stays of the log file after a burst.
    static let logOctets = 64 << 20
    /// How long another program may hold the database before a write or a read fails.
    static let busy_s = 5.0

    static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "fakemx.store"
        configuration.foreignKeysEnabled = false
        configuration.maximumReaderCount = readers
        configuration.busyMode = .timeout(busy_s)
        configuration.prepareDatabase { database in
            // The size of pages is settled with the first write of a new file.
            try database.execute(sql: "PRAGMA page_size = \(pageSize)")
            let cache_KiB = database.configuration.readonly ? readerCache_KiB : writerCache_KiB
            try database.execute(sql: "PRAGMA cache_size = -\(cache_KiB)")
            // Debian's SQLite overwrites what is deleted with zeros unless it is told not to.
            try database.execute(sql: "PRAGMA secure_delete = OFF")
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
            guard !database.configuration.readonly else { return }
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 0")
            try database.execute(sql: "PRAGMA journal_size_limit = \(logOctets)")
        }
        return configuration
    }

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { try createTables($0) }
        migrator.registerMigration("2") { try addBodies($0) }
        return migrator
    }

    /// Positions are given by the writer, which keeps the last one in `state`: so none is given twice, even after
    /// everything was deleted. Totals stand there too, written in the transaction that changes them: opening a large
    /// store counts nothing.
    private static func createTables(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE state (
                    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
                    session_number INTEGER NOT NULL,
                    messages INTEGER NOT NULL, message_octets INTEGER NOT NULL, message_last INTEGER NOT NULL,
                    message_indexed INTEGER NOT NULL, message_gone INTEGER NOT NULL, messages_read INTEGER NOT NULL,
                    sessions INTEGER NOT NULL, session_octets INTEGER NOT NULL, session_last INTEGER NOT NULL,
                    session_indexed INTEGER NOT NULL, session_gone INTEGER NOT NULL
                );
                INSERT INTO state VALUES (1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

                -- session and number are those of an id like s12.3. The content stands last: what stands before it is
                -- read without it.
                CREATE TABLE messages (
                    position INTEGER PRIMARY KEY, session INTEGER NOT NULL, number INTEGER NOT NULL,
                    time_us INTEGER NOT NULL, size INTEGER NOT NULL, envelope BLOB NOT NULL, content BLOB NOT NULL
                );
                -- The number first: what sessions bring side by side then stands side by side, and a group touches one
                -- page of the index, not one for each session.
                CREATE INDEX messages_by_id ON messages (number, session);
                CREATE TABLE sessions (
                    position INTEGER PRIMARY KEY, number INTEGER NOT NULL, time_us INTEGER NOT NULL,
                    size INTEGER NOT NULL, events INTEGER NOT NULL, events_dropped INTEGER NOT NULL,
                    facets BLOB NOT NULL, log BLOB NOT NULL
                );
                CREATE INDEX sessions_by_number ON sessions (number);

                -- Of messages that have any.
                CREATE TABLE marks (position INTEGER PRIMARY KEY, is_read INTEGER NOT NULL, tags BLOB NOT NULL);

                -- Filled in idle time; complete up to message_indexed and session_indexed.
                CREATE TABLE message_facets (
                    facet INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (facet, position)
                ) WITHOUT ROWID;
                CREATE TABLE session_facets (
                    facet INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (facet, position)
                ) WITHOUT ROWID;
                CREATE VIRTUAL TABLE search USING fts5 (
                    text, content = '', detail = none, columnsize = 0, tokenize = 'trigram'
                );
                -- Messages that have too much text for it: every search looks at them.
                CREATE TABLE unsearchable (position INTEGER PRIMARY KEY);

                PRAGMA user_version = 1;
                """)
    }
    /// Contents stand in a file of their own (`BodyFile`); those that are in the table already stay there, with no
    /// body.
    private static func addBodies(_ database: Database) throws {
        try database.execute(
            sql: """
                ALTER TABLE messages ADD COLUMN body INTEGER;
                ALTER TABLE state ADD COLUMN body_end INTEGER NOT NULL DEFAULT 0;
                PRAGMA user_version = 2;
                """)
    }
}
