// The OpenAPI document of our own face.

import Hummingbird
import NIOCore

enum OpenAPI {
    static func document(_ call: inout Call) async throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: "{}")))
    }
}
