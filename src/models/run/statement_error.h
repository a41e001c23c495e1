#pragma once

#include <string>
#include <vector>

#include "models/context/node_scope.h"

// What a database says of a statement, told by the file where people find that statement: the file of the resource, and
// its line where that is plain; the line of the compiled SQL, or of the SQL that ran, with a caret below the place; the
// macros that made the statement.
namespace shaduf::models {

// A file that holds a statement, or a part of one.
struct StatementFile {
    std::string path;  // as people are told: "target/compiled/shop/models/orders.sql"
    std::string text;
};

// What the statement was made from.
struct StatementOrigin {
    std::string file;                       // of the resource: "models/orders.sql"
    std::string code;                       // its template, which is the whole file; "": it is not
    size_t line = 0;                        // of the file, where none of the template is found; 0: unknown
    std::vector<StatementFile> files = {};  // the nearest to the template first
};
// Of a node that is run: what it compiled to, and what was written of it.
StatementOrigin origin_of(const ContextServices& services, const Node& node, const NodeRun& run);

// The error itself, unless it is what `run` notes of a statement that was refused.
Error statement_error(Error error, const NodeRun& run, const StatementOrigin& origin);

}  // namespace shaduf::models
