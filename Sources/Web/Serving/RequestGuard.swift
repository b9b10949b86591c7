// What goes wrong before there is a request: octets that are none, a head that is too large, a head that never ends.
// Each gets its problem document, as far as there is anybody to read it, and its connection is closed.

import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Of one connection; called on its event loop alone.
final class RequestGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let head_s: Int64
    /// Requests whose head came and whose answer is not whole: what goes wrong behind them waits for its turn.
    private var unanswered = 0
    /// A request is read as far as its end, or none is.
    private var isBetweenRequests = true
    /// The last word is said.
    private var hasRefused = false
    private var clock: Scheduled<Void>?

    /// - Parameter head_s: seconds that a head may take from its first octet on.
    init(head_s: Int64) { self.head_s = head_s }

    func handlerAdded(context: ChannelHandlerContext) {
        // Octets of a head that is not whole are seen in front of the decoder alone.
        let first = FirstOctets { [weak self] in self?.octetsCame(context) ?? false }
        do { try context.pipeline.syncOperations.addHandler(first, position: .first) } catch {
            context.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { clock?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        clock?.cancel()
        context.fireChannelInactive()
    }

    /// - Returns: whether anybody reads them.
    private func octetsCame(_ context: ChannelHandlerContext) -> Bool {
        guard !hasRefused else { return false }
        guard isIdle, clock == nil else { return true }
        clock = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(head_s)) { [weak self] in
            guard let self, isIdle else { return }
            refuse(
                Problem(
                    "head-too-slow", 408, "The request came too slowly",
                    "its line and its headers were not there after \(head_s) seconds"), context)
        }
        return true
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            isBetweenRequests = false
            unanswered += 1
            clock?.cancel()
            clock = nil
        case .body: break
        case .end: isBetweenRequests = true
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !hasRefused else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head, .body: break
        case .end: unanswered -= 1
        }
        context.write(data, promise: promise)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? HTTPParserError, isIdle {
            refuse(Self.problem(error), context)
        } else {
            // Whoever reads a body learns that it is not whole; whoever is being answered has the answer first.
            context.fireErrorCaught(error)
        }
    }

    private var isIdle: Bool { isBetweenRequests && unanswered == 0 }

    private static func problem(_ error: HTTPParserError) -> Problem {
        switch error {
        case .headerOverflow:
            Problem(
                "head-too-large", 431, "The head of the request is too large",
                "the line of a request and its headers have at most \(WebServer.Bounds.header) octets together")
        default:
            Problem("no-request", 400, "That is no request", "what came is no HTTP/1.1 (RFC 9112): \(error)")
        }
    }

    private func refuse(_ problem: Problem, _ context: ChannelHandlerContext) {
        guard !hasRefused else { return }
        hasRefused = true
        clock?.cancel()
        let body = JSONText.buffer(problem)
        var head = HTTPResponse(status: .init(code: problem.status))
        head.headerFields = [
            .contentType: "application/problem+json", .contentLength: "\(body.readableBytes)", .connection: "close",
        ]
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        let end = context.eventLoop.makePromise(of: Void.self)
        end.futureResult.assumeIsolated().whenComplete { _ in context.close(mode: .output, promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: end)
        // Octets that nobody reads make the kernel reset the connection, and the client would lose the answer.
        clock = context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingering) { context.close(promise: nil) }
    }

    /// How long the rest of a refused request is read and thrown away.
    private static let lingering = TimeAmount.seconds(1)
}

/// Tells that octets came, and passes them on as long as somebody reads them.
private final class FirstOctets: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let came: () -> Bool

    init(_ came: @escaping () -> Bool) { self.came = came }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if came() { context.fireChannelRead(data) }
    }
}
