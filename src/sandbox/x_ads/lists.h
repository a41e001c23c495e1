#pragma once

#include <string>

#include "sandbox/platform.h"
#include "sandbox/x_ads/reply.h"

namespace shaduf::sandbox::x_ads {

// GET /accounts: those of the token.
HttpServerResponse answer_accounts(const HttpServerRequest& request, const World& world);
HttpServerResponse answer_account(const HttpServerRequest& request, const World& world, const Entity& account);
// GET /accounts/{id}/{list}; a list that does not exist is refused.
HttpServerResponse answer_list(const HttpServerRequest& request, const Environment& environment, const World& world,
                               const Entity& account, const std::string& list);

// The one funding instrument of an entity's account.
std::string funding_id(const World& world, const Entity& entity);
// Ids of the world as X writes them.
std::string make_id(Level level, uint32_t index, uint64_t seed);

}  // namespace shaduf::sandbox::x_ads
