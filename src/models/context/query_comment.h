#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "jinja/template.h"
#include "models/project/project.h"

namespace shaduf::models {

class NodeScope;

// The comment that every statement of templates carries, so that a database's log says where it came from: dbt's own, a
// JSON object, or that of `query-comment`. Immutable; thread-safe.
class StatementComment {
public:
    // invalid_config: the comment is no template.
    static Result<StatementComment> create(const QueryComment& settings);

    // For statements of a scope: of its node, else of its connection. "": there is none. invalid_config: the template
    // fails, or gives what would end the comment.
    Result<std::string> text(const NodeScope& scope) const;
    // The statement as it is sent.
    std::string add(std::string sql, std::string_view text) const;

private:
    StatementComment() = default;
    bool is_default_ = true;
    bool append_ = false;
    jinja::TemplatePtr code_;  // nullptr: dbt's own, or none
};

}  // namespace shaduf::models
