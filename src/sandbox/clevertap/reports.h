#pragma once

#include "io/http_server.h"
#include "sandbox/platform.h"

namespace shaduf::sandbox::clevertap {

HttpServerResponse answer_counts(const HttpServerRequest& request, const World& world, const Entity& project,
                                 bool is_partial);
HttpServerResponse answer_targets(const HttpServerRequest& request, const World& world, const Entity& project);
HttpServerResponse answer_result(const HttpServerRequest& request, const World& world, const Entity& project);
HttpServerResponse answer_messages(const HttpServerRequest& request, const World& world, const Entity& project);
HttpServerResponse answer_upload(const HttpServerRequest& request);
HttpServerResponse answer_schema(const HttpServerRequest& request);

// The day on which a campaign was sent, or a message begun, in its project's zone; "202601311530" of it.
int32_t sent_day(const World& world, const Entity& entity);
std::string sent_stamp(const World& world, const Entity& entity);

}  // namespace shaduf::sandbox::clevertap
