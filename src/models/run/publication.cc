#include "models/run/publication.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/assert.h"
#include "base/run_context.h"
#include "io/crypto.h"
#include "models/context/native.h"
#include "models/context/relations.h"
#include "models/run/compiler.h"

namespace shaduf::models {
namespace {

using jinja::Value;

constexpr std::string_view kEnding = "__unpublished";
constexpr size_t kNameMax = 63;  // bytes: PostgreSQL's, the shortest of all
constexpr size_t kHashDigits = 8;
constexpr std::array<std::string_view, 3> kMaterializations = {"table", "incremental", "view"};

// One of the built-in macros, which a project may replace, within the model's own context.
Result<void> call(const ContextServices& services, Session& session, const Node& copy, std::string_view name,
                  const Node& node) {
    NodeRun run;
    run.session = &session;
    NodeScope scope(services, Phase::run, {.node = &copy, .package = copy.package, .label = label_of(copy)});
    scope.run_with(run);
    const Macro* macro = scope.find_macro(name);
    if (macro == nullptr) return scope.error("there is no macro " + std::string(name));
    const std::array<Value, 2> relations = {TRY(node_relation(scope, copy)), TRY(node_relation(scope, node))};
    jinja::Vm vm(vm_options(RenderMode::text), &services.run.cancellation);
    auto done = scope.call_macro(vm, *macro, {.positional = relations, .named = {}});
    if (done.ok()) return session.in_transaction() ? session.commit() : Result<void>();
    // What the macro told the cache is not so: the schema is listed again.
    services.relations.drop_schema(node.database.value_or(""), node.schema);
    Error error = done.release_error();
    if (auto rolled_back = session.rollback(); !rolled_back.ok()) return rolled_back;
    return error;
}

// At most so many bytes of it, and no half of a character.
std::string_view cut(std::string_view name, size_t bytes) {
    while (bytes > 0 && bytes < name.size() && (static_cast<unsigned char>(name[bytes]) & 0xC0U) == 0x80U) --bytes;
    return name.substr(0, bytes);
}

}  // namespace

bool publishes_after_tests(const Node& node) {
    return node.type == ResourceType::model && node.config.text("publish") == "after_tests";
}

Result<void> check_publications(std::span<const Node* const> nodes) {
    for (const Node* node : nodes) {
        const Value publish = node->config.get("publish");
        if (publish.is_undefined() || publish.is_none()) continue;
        const auto refuse = [&](std::string message) {
            return Error(ErrorKind::invalid_config, label_of(*node) + ": " + std::move(message))
                .at(Place::in_file(node->place.original_path, static_cast<int>(node->place.line)));
        };
        if (publish.text() != "after_tests") {
            return refuse("publish takes after_tests, not " + publish.repr() +
                          "; leave it out to publish what is built at once");
        }
        const std::string materialized = node->config.text("materialized");
        const bool is_model = node->type == ResourceType::model;
        if (is_model &&
            std::find(kMaterializations.begin(), kMaterializations.end(), materialized) != kMaterializations.end()) {
            continue;
        }
        const std::string what = is_model ? "materialized: " + materialized : "a " + std::string(to_string(node->type));
        return refuse("publish: after_tests goes with models that are tables, incremental or views, not with " + what);
    }
    return {};
}

void add_audits(const Manifest& manifest, std::vector<const Node*>& nodes) {
    const std::set<const Node*> known(nodes.begin(), nodes.end());
    std::set<std::string_view> audited;
    for (const Node* node : nodes) {
        if (publishes_after_tests(*node)) audited.insert(node->unique_id);
    }
    if (audited.empty()) return;
    for (const auto& node : manifest.nodes) {
        const auto& inputs = node->depends_on_nodes;
        const bool audits = node->type == ResourceType::test && !known.contains(node.get()) &&
                            std::any_of(inputs.begin(), inputs.end(),
                                        [&](const std::string& input) { return audited.contains(input); });
        if (audits) nodes.push_back(node.get());
    }
}

Node unpublished_copy(const Node& node) {
    Node copy = node;
    std::string name = node.alias;
    if (name.size() + kEnding.size() > kNameMax) {
        const std::string hash = "_" + to_hex(md5(node.alias)).substr(0, kHashDigits);
        name = std::string(cut(node.alias, kNameMax - kEnding.size() - hash.size())) + hash;
    }
    copy.alias = name + std::string(kEnding);
    return copy;
}

Result<void> Publications::hold(const Node& node) {
    const std::lock_guard lock(holding_mutex_);
    if (holder_ == nullptr) holder_ = TRY(services_.adapter.connect(services_.run, "publications"));
    const std::string name = relation_name(services_, node);
    TRY(holder_->lock(name));
    held_.insert(name);
    return {};
}

void Publications::end(const Node& node) {
    const std::lock_guard lock(holding_mutex_);
    const std::string name = relation_name(services_, node);
    // Should it fail, the session's end gives the lock back.
    if (held_.erase(name) > 0) static_cast<void>(holder_->unlock(name));
}

Result<void> Publications::begin(Session& session, const Node& node, const Node& copy) {
    TRY(hold(node));
    return call(services_, session, copy, "prepare_unpublished", node);
}

void Publications::built(const Node& node, Node copy) {
    const std::lock_guard lock(mutex_);
    copies_.insert_or_assign(node.unique_id, Copy{.node = std::move(copy)});
}

Result<void> Publications::publish(Session& session, const Node& node) {
    const Node* copy = unpublished(node.unique_id);
    SHADUF_ASSERT(copy != nullptr);
    TRY(call(services_, session, *copy, "publish_relation", node));
    const std::lock_guard lock(mutex_);
    copies_.find(node.unique_id)->second.is_published = true;
    return {};
}

const Node* Publications::unpublished(std::string_view unique_id) const {
    const std::lock_guard lock(mutex_);
    const auto copy = copies_.find(unique_id);
    return copy == copies_.end() || copy->second.is_published ? nullptr : &copy->second.node;
}

void Publications::resolve_refs(NodeScope& scope) const {
    scope.resolve_refs_by([this, &scope, otherwise = scope.resolve()](
                              const ModelRef& ref, const Node& target) -> Result<std::optional<Value>> {
        if (const Node* copy = unpublished(target.unique_id)) return std::optional(TRY(node_relation(scope, *copy)));
        return otherwise ? otherwise(ref, target) : Result<std::optional<Value>>(std::optional<Value>());
    });
}

}  // namespace shaduf::models
