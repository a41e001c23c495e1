#include "server/openapi.h"

#include "server/endpoint.h"
#include "server/serve_context.h"

namespace shaduf::server {
namespace {

Result<ApiAnswer> describe(ApiCall& call) { return ApiAnswer{.body = openapi_of(builtin_apis(), call.serve.version)}; }

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/openapi.json",
     .id = "getOpenapi",
     .summary = "All calls, as OpenAPI 3.1.",
     .role = Role::nobody,
     .response = &kAny,
     .handle = describe},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_openapi;
const server::ApiSpec api_openapi{
    .name = "openapi", .summary = "The description of the API.", .endpoints = server::kEndpoints};

}  // namespace shaduf
