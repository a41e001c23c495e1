#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sandbox/google_ads/fields.h"
#include "sandbox/google_ads/gaql.h"
#include "sandbox/platform.h"

namespace shaduf::sandbox::google_ads {

// Writes rows as proto3 JSON has them: names in lowerCamelCase, 64-bit numbers as texts, zeros and empty texts left
// out, the name of each resource that was touched first.
class RowWriter {
public:
    // `changes`: what a scenario does to the fields of this resource.
    RowWriter(const Gaql& gaql, const std::vector<FieldChange>& changes);
    void write(const Row& row, std::string& out) const;
    // "campaign.id,metrics.clicks"
    const std::string& field_mask() const { return mask_; }

private:
    struct Node {
        std::string key;
        std::vector<Node> children;
        const Field* field = nullptr;
        std::string resource;  // whose name it is; "" for all but resourceName
        std::string constant;  // of a field that a scenario added: its JSON
    };
    Node& node_at(std::string_view path);
    static bool write_node(const Node& node, const Row& row, std::string& out);

    Node root_;
    std::string mask_;
};

std::string camel_case(std::string_view name);

}  // namespace shaduf::sandbox::google_ads
