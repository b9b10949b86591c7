// What a request says in its body. Go reads JSON generously, so Mailpit does: keys in any case, unknown keys, null for
// nothing. Forms are read as well, since a client sends its ids so; Mailpit takes such a body for none, and then
// deletes everything.

import Faults
import HTTPTypes
import Hummingbird

extension Mailpit {
    struct Body {
        /// Keys in lower case.
        private var values: [String: Value] = [:]
        /// There is none at all.
        let isEmpty: Bool

        fileprivate enum Value: Decodable {
            case null
            case flag(Bool)
            case number(Double)
            case text(String)
            case list([Value])
            case object([String: Value])

            /// Of a form's field that stands once.
            var onlyText: String? {
                guard case .list(let list) = self, list.count == 1, case .text(let text) = list[0] else { return nil }
                return text
            }

            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                if value.decodeNil() {
                    self = .null
                } else if let flag = try? value.decode(Bool.self) {
                    self = .flag(flag)
                } else if let number = try? value.decode(Double.self) {
                    self = .number(number)
                } else if let text = try? value.decode(String.self) {
                    self = .text(text)
                } else if let list = try? value.decode([Value].self) {
                    self = .list(list)
                } else {
                    self = .object(try value.decode([String: Value].self))
                }
            }
        }

        init(_ call: Call) async throws {
            let octets = try await call.body()
            guard let first = octets.first(where: { ![9, 10, 13, 32].contains($0) }) else {
                isEmpty = true
                return
            }
            isEmpty = false
            let type = call.request.headers[.contentType]?.asciiLowercased ?? ""
            if first != UInt8(ascii: "{"), type.hasPrefix("application/x-www-form-urlencoded") {
                try readForm(octets)
            } else if case .object(let object) = try JSONText.decode(Value.self, octets) {
                values = Self.folded(object)
            } else {
                throw refusal("the body is JSON, but no object")
            }
        }

        private init(_ object: [String: Value]) {
            isEmpty = false
            values = Self.folded(object)
        }

        private static func folded(_ object: [String: Value]) -> [String: Value] {
            Dictionary(object.map { ($0.key.asciiLowercased, $0.value) }) { first, _ in first }
        }

        private mutating func readForm(_ octets: [UInt8]) throws {
            var texts: [String: [Value]] = [:]
            for pair in octets.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false) {
                let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                guard let name = PercentCoding.decoded(halves[0], plusIsSpace: true),
                    let value = PercentCoding.decoded(halves.count > 1 ? halves[1] : [], plusIsSpace: true)
                else { throw refusal("the body is no percent-encoded UTF-8") }
                // Clients say of any body that it is a form, where they are not told what it is.
                guard halves.count == 2, Self.formFields.contains(name.asciiLowercased) else {
                    throw refusal(
                        "the body is no JSON object, and no form of \(Self.formFields.joined(separator: ", ")): "
                            + "\"\(name.shown)\" is none of these")
                }
                texts[name.asciiLowercased, default: []].append(.text(value))
            }
            values = texts.mapValues(Value.list)
        }

        private static let formFields = ["ids", "read", "search", "tags", "name"]

        // MARK: Fields

        /// It is there, and says something else than these.
        func isOther(than names: [String]) -> Bool {
            let known = names.map(\.asciiLowercased)
            return !values.isEmpty && !values.keys.contains { known.contains($0) }
        }

        func texts(_ name: String, atMost most: Int) throws -> [String] {
            switch values[name.asciiLowercased] {
            case nil, .null: return []
            case .list(let list):
                guard list.count <= most else { throw refusal("\(name): at most \(most) are taken at once") }
                return try list.map { value in
                    guard case .text(let text) = value else { throw refusal("\(name): a list of texts is expected") }
                    return text
                }
            default: throw refusal("\(name): a list of texts is expected")
            }
        }

        func text(_ name: String) throws -> String {
            switch values[name.asciiLowercased] {
            case nil, .null: return ""
            case .text(let text): return text
            case let value:
                guard let text = value?.onlyText else { throw refusal("\(name): a text is expected") }
                return text
            }
        }

        func flag(_ name: String) throws -> Bool {
            switch values[name.asciiLowercased] {
            case nil, .null: return false
            case .flag(let flag): return flag
            case let value:
                switch value?.onlyText?.asciiLowercased {
                case "true", "1": return true
                case "false", "0": return false
                default: throw refusal("\(name): true or false is expected")
                }
            }
        }

        func number(_ name: String) throws -> Int {
            switch values[name.asciiLowercased] {
            case nil, .null: return 0
            case .number(let number):
                guard let whole = Int(exactly: number) else { throw refusal("\(name): a whole number is expected") }
                return whole
            default: throw refusal("\(name): a whole number is expected")
            }
        }

        /// nil where there is none.
        func object(_ name: String) throws -> Body? {
            switch values[name.asciiLowercased] {
            case nil, .null: return nil
            case .object(let object): return Body(object)
            default: throw refusal("\(name): an object is expected")
            }
        }
    }
}
