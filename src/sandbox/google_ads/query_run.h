#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/google_ads/fields.h"
#include "sandbox/google_ads/gaql.h"
#include "sandbox/platform.h"

namespace shaduf::sandbox::google_ads {

// Checks a query as the API does: names, what may stand together, what must be filtered. nullopt: it may be asked.
std::optional<Refusal> check_query(const Gaql& gaql, const World& world, std::string_view customer);

// The rows of a query that was checked. Days come one behind the other, so that an answer in their order needs no more
// memory than one day; any other order holds all rows.
class QueryRun {
public:
    QueryRun(std::shared_ptr<const World> world, Gaql gaql, std::string customer);
    // Appends the next rows; false behind the last.
    bool next(std::vector<Row>& out);
    const Gaql& gaql() const { return gaql_; }

private:
    void enumerate(int32_t first, int32_t last, std::vector<Row>& out);
    void add_entities(std::vector<Row>& out) const;
    void add_clients(std::vector<Row>& out) const;
    void add_changes(std::vector<Row>& out);
    void add_numbers(const Entity& entity, int32_t first, int32_t last, std::vector<Row>& out) const;
    void add_clicks(int32_t day, std::vector<Row>& out) const;
    void sort(std::vector<Row>& rows) const;

    const std::shared_ptr<const World> world_;
    const Gaql gaql_;
    const std::string customer_;
    const Entity* account_ = nullptr;
    bool has_numbers_ = false;  // the rows have metrics or segments
    bool by_day_ = false;
    bool in_order_ = true;
    int32_t day_ = 0;
    int32_t last_day_ = 0;
    int64_t given_ = 0;
    bool is_over_ = false;
    std::vector<std::unique_ptr<const Change>> changes_;
};

// What the conditions of segments.date leave of days `first` to `last`.
std::pair<int32_t, int32_t> days_of(const Gaql& gaql, int32_t today, int32_t first, int32_t last);
bool meets(const Condition& condition, const Value& value);

}  // namespace shaduf::sandbox::google_ads
