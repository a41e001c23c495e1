#include "models/parse/access.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace shaduf::models {
namespace {

class AccessCheck {
public:
    AccessCheck(const Manifest& manifest, std::span<const Project> packages, Findings& findings)
        : manifest_(manifest), findings_(findings) {
        for (const Project& package : packages.subspan(1)) {
            if (package.restrict_access) restricted_.insert(package.name);
        }
        for (const auto& group : manifest.groups) groups_.push_back(group->name);
    }

    void check(const Node& node) {
        check_group(node.group, node.place);
        if (node.type == ResourceType::model && node.access == "public" &&
            node.config.text("materialized") == "ephemeral") {
            refuse(node.place, "Node " + node.unique_id +
                                   " has an invalid value (public) for the access field: an "
                                   "ephemeral model cannot be public");
        }
        for (const std::string& id : node.depends_on_nodes) {
            const Node* target = manifest_.node(id);
            if (target == nullptr || target->type != ResourceType::model) continue;
            const bool is_foreign = node.package != target->package && restricted_.contains(target->package);
            if (target->access == "private" && (node.group != target->group || is_foreign)) {
                refuse_ref(node, *target, "the '" + target->group.value_or("") + "' group");
            } else if (target->access == "protected" && is_foreign) {
                refuse_ref(node, *target, "the '" + target->package + "' package");
            }
        }
    }

    void check_group(const std::optional<std::string>& group, const FilePlace& place) {
        if (!group || std::find(groups_.begin(), groups_.end(), *group) != groups_.end()) return;
        refuse(place, "Invalid group '" + *group + "': no such group is declared" + did_you_mean(*group, groups_));
    }

private:
    void refuse_ref(const Node& node, const Node& target, const std::string& scope) {
        refuse(node.place, "Node " + node.unique_id + " attempted to reference node " + target.unique_id +
                               ", which is not allowed because the referenced node is " + target.access + " to " +
                               scope);
    }
    void refuse(const FilePlace& place, std::string message) {
        findings_.errors.push_back(Error(ErrorKind::invalid_config, std::move(message))
                                       .at(Place::in_file(place.original_path, static_cast<int>(place.line))));
    }

    const Manifest& manifest_;
    Findings& findings_;
    std::set<std::string> restricted_;
    std::vector<std::string> groups_;
};

}  // namespace

void check_access(const Manifest& manifest, std::span<const Project> packages, Findings& findings) {
    AccessCheck check(manifest, packages, findings);
    for (const auto& node : manifest.nodes) check.check(*node);
    for (const auto& declaration : manifest.declarations) {
        const std::string group = declaration->config.text("group");
        if (!group.empty()) check.check_group(group, declaration->place);
    }
}

void check_access(const Node& node, const Manifest& manifest, std::span<const Project> packages, Findings& findings) {
    AccessCheck(manifest, packages, findings).check(node);
}

}  // namespace shaduf::models
