#include "models/adapter/adapter.h"

namespace shaduf::models {

Error connect_error(const Target& target, const Error& why) {
    Error error(why.kind(), why.message() + "; the target is " + target.name + " of profile " + target.profile);
    if (why.retry_delay()) error = error.retry_after(*why.retry_delay());
    const bool is_permanent = !why.may_retry() && error.may_retry();
    return (is_permanent ? error.permanent() : error).at(target.place);
}

}  // namespace shaduf::models
