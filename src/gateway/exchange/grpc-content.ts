/** Tells gRPC from other requests (gRPC over HTTP/2, "Requests"). */

export function isGrpcContent(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:[+;]|$)/i.test(contentType);
}
