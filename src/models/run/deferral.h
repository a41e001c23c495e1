#pragma once

#include "models/context/node_scope.h"

namespace shaduf::models {

// --defer: within `scope`, a ref of a model that the target does not hold gives the relation that it has in the state;
// with --favor-state, also of one that it holds, unless it is selected. Does nothing where no state is given. The
// session is asked what there is; it outlives the scope.
void defer_refs(NodeScope& scope, Session& session);

}  // namespace shaduf::models
