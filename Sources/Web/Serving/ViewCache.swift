// What was read out of messages of late: lists and pages ask for the same ones again and again.

import Mail
import SMTP
import Synchronization

final class ViewCache: Sendable {
    private struct State {
        var views: [String: MailView] = [:]
        /// The oldest first.
        var order: [String] = []
        var octets = 0
        var sizes: [String: Int] = [:]
    }

    /// Messages, at most, and octets of their texts, about.
    private static let most = 500
    private static let mostOctets = 32 << 20

    private let state = Mutex(State())

    func view(of message: Message) -> MailView {
        if let known = state.withLock({ $0.views[message.id] }) { return known }
        let view = MailView(message.content)
        let size = min(message.content.count, Self.mostOctets) + 1024
        state.withLock { state in
            guard state.views[message.id] == nil, size <= Self.mostOctets / 4 else { return }
            state.views[message.id] = view
            state.sizes[message.id] = size
            state.order.append(message.id)
            state.octets += size
            while state.order.count > Self.most || state.octets > Self.mostOctets {
                let oldest = state.order.removeFirst()
                state.views[oldest] = nil
                state.octets -= state.sizes.removeValue(forKey: oldest) ?? 0
            }
        }
        return view
    }
}
