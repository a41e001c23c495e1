#pragma once

#include <memory>
#include <vector>

#include "models/context/services.h"
#include "models/lineage/project_lineage.h"

namespace shaduf::models {

class Session;

// Stands for a database that cannot be asked: templates see one without relations, and what asks for more ends with
// kind unavailable. Fills `relations` of the services accordingly.
std::unique_ptr<Session> make_absent_session(const ContextServices& services, const std::string& why);

// The text of every model and snapshot among `nodes`, ephemeral ones as well; a node that cannot be compiled says why.
std::vector<CompiledQuery> compile_queries(const ContextServices& services, Session& session,
                                           const std::vector<const Node*>& nodes);

}  // namespace shaduf::models
