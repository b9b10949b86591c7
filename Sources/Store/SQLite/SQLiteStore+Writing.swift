// A group of messages and sessions goes into the file in one transaction; the log is kept short beside it.

import Dispatch
import GRDB
import Journal
import SMTP
import Synchronization

extension SQLiteStore {
    func writeGroup() {
        let group = queue.withLock { queue in
            let group = queue
            queue.messages = []
            queue.sessions = []
            queue.settlers = []
            queue.expire_us = nil
            return group
        }
        let results = write(group.messages, group.sessions)
        keepLogShort()
        lastGroup_ns.store(DispatchTime.now().uptimeNanoseconds, ordering: .relaxed)
        let isDone = group.expire_us.map { expireSlice($0) } ?? true
        let octets =
            group.messages.reduce(0) { $0 + $1.message.content.count + Self.queueEntryOctets }
            + group.sessions.reduce(0) { $0 + $1.log.octetCount + Self.queueEntryOctets }
        let hasMore = queue.withLock { queue in
            queue.octets -= octets
            if !isDone {
                if queue.expire_us == nil { queue.expire_us = group.expire_us }
                queue.settlers.append(contentsOf: group.settlers)
            }
            queue.isScheduled = !queue.isEmpty
            return queue.isScheduled
        }
        if !results.isEmpty { onKept(results) }
        if isDone { for settler in group.settlers { settler.resume() } }
        // Behind what others have given the writer meanwhile, so that nobody waits for ever.
        if hasMore { pool.asyncWriteWithoutTransaction { _ in self.writeGroup() } } else { fillLater() }
    }

    /// Gives room back beside the writer; what is still being read, a second later.
    func giveRoomBack(after delay: DispatchTimeInterval = .seconds(0)) {
        guard writer.bodies.hasRoomToGive, !isGivingBack.exchange(true, ordering: .relaxed) else { return }
        copyQueue.asyncAfter(deadline: .now() + delay) { [weak self] in
            guard let self else { return }
            writer.bodies.giveBack()
            isGivingBack.store(false, ordering: .relaxed)
            giveRoomBack(after: .seconds(1))
        }
    }

    /// Copies the log into the database when it is long: beside the writer, or, when that cannot keep up, here.
    func keepLogShort() {
        giveRoomBack()
        let pages = writer.logPages.load(ordering: .relaxed)
        guard pages >= Schema.checkpointPages else { return }
        if pages >= Schema.mostLogPages {
            writer.logPages.store(0, ordering: .relaxed)
            // Whoever comes next waits for it; the one who is here has waited enough.
            return pool.asyncWriteWithoutTransaction { _ in
                try? self.writer.connection.execute("PRAGMA wal_checkpoint(RESTART)")
            }
        }
        guard !isCopying.exchange(true, ordering: .relaxed) else { return }
        copyQueue.async { [self] in
            // What fails here is tried again behind the next group, and a full disk is the writer's to tell.
            _ = try? copier.withLock { copier in
                // What the rows name is on the disk before they are.
                try writer.bodies.sync()
                if copier == nil {
                    copier = try DatabaseQueue(path: file.pathForSQLite, configuration: Schema.configuration)
                }
                try copier?.writeWithoutTransaction { _ = try $0.checkpoint(.passive) }
            }
            isCopying.store(false, ordering: .relaxed)
        }
    }

    func write(
        _ messages: [(message: Message, ticket: KeepTicket)], _ sessions: [StoredSession]
    ) -> [KeepResult] {
        guard !messages.isEmpty || !sessions.isEmpty else { return [] }
        do {
            try insert(messages[...], sessions[...])
            return messages.map { KeepResult(ticket: $0.ticket, failure: nil) }
        } catch {
            return writeOneByOne(messages, sessions, error)
        }
    }

    func insert(
        _ messages: ArraySlice<(message: Message, ticket: KeepTicket)>, _ sessions: ArraySlice<StoredSession>
    ) throws(SQLiteFault) {
        let dropped = try writer.transaction { () throws(SQLiteFault) in
            for (message, _) in messages { try writer.insert(message) }
            for session in sessions { try writer.insert(session) }
            return (try writer.dropExcess(.messages), try writer.dropExcess(.sessions))
        }
        publish { counts in
            counts.messagesEver += messages.count
            for (message, _) in messages { counts.messageOctetsEver += message.content.count }
            counts.messagesDropped += dropped.0
            counts.sessionsEver += sessions.count
            counts.sessionsDropped += dropped.1
        }
    }

    /// A group that failed: some of it may find room. A disk that is full is not asked again for each of a thousand.
    func writeOneByOne(
        _ messages: [(message: Message, ticket: KeepTicket)], _ sessions: [StoredSession], _ first: SQLiteFault
    ) -> [KeepResult] {
        var failure = report(first)
        var failures = messages.count + sessions.count == 1 ? Self.mostFailures : 0
        var results: [KeepResult] = []
        for index in messages.indices {
            var isKept = false
            if failures < Self.mostFailures {
                do {
                    try insert(messages[index...index], [])
                    (isKept, failures) = (true, 0)
                } catch {
                    failure = report(error)
                    failures += 1
                }
            }
            if !isKept { figures.withLock { $0.counts.refusals += 1 } }
            results.append(KeepResult(ticket: messages[index].ticket, failure: isKept ? nil : failure))
        }
        for index in sessions.indices {
            var isKept = false
            if failures < Self.mostFailures {
                do {
                    try insert([], sessions[index...index])
                    (isKept, failures) = (true, 0)
                } catch {
                    failure = report(error)
                    failures += 1
                }
            }
            if !isKept { figures.withLock { $0.counts.sessionRefusals += 1 } }
        }
        // What was kept in between has taken the trouble away; it is still there.
        if failures > 0 { figures.withLock { $0.counts.trouble = failure.reason } }
        return results
    }

    /// False where more is to be dropped.
    private func expireSlice(_ now_us: Int64) -> Bool {
        do {
            let dropped = try writer.transaction { () throws(SQLiteFault) in
                var dropped = (messages: 0, sessions: 0)
                if let age = retention.messageAge_us {
                    dropped.messages = try writer.dropOlder(.messages, than: now_us - age, atMost: Self.dropSlice)
                }
                if let age = retention.sessionAge_us {
                    dropped.sessions = try writer.dropOlder(.sessions, than: now_us - age, atMost: Self.dropSlice)
                }
                return dropped
            }
            publish { counts in
                counts.messagesDropped += dropped.messages
                counts.sessionsDropped += dropped.sessions
            }
            giveRoomBack()
            return dropped.messages < Self.dropSlice && dropped.sessions < Self.dropSlice
        } catch {
            _ = report(error)
            return true
        }
    }
}
