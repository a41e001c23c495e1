#include "jinja/pretty.h"

#include <algorithm>

#include "jinja/operators.h"
#include "jinja/unicode.h"

namespace shaduf::jinja {
namespace {

constexpr size_t kWidth = 80;
constexpr int kNestedMax = 100;
constexpr size_t kValuesMax = 1'000'000;

std::vector<Dict::Entry> sorted_entries(const Dict& dict) {
    std::vector<SortItem> items;
    for (const auto& entry : dict.entries()) items.push_back({entry.key, entry.value});
    if (!sort_items(items, false).ok()) {
        std::stable_sort(items.begin(), items.end(),
                         [](const SortItem& a, const SortItem& b) { return a.key.type_name() < b.key.type_name(); });
    }
    std::vector<Dict::Entry> entries;
    for (auto& item : items) entries.push_back({std::move(item.key), std::move(item.value)});
    return entries;
}

class PrettyPrinter {
public:
    std::string run(const Value& value) {
        print(value, 0, 0, 0);
        return std::move(out_);
    }

private:
    std::string flat(const Value& value, int depth) {
        if (depth > kNestedMax || ++printed_ > kValuesMax) return "...";
        std::string text;
        const auto join = [&](char open, const std::vector<Value>& items, char close) {
            text += open;
            for (size_t i = 0; i < items.size(); ++i) text += (i > 0 ? ", " : "") + flat(items[i], depth + 1);
            if (open == '(' && items.size() == 1) text += ',';
            text += close;
        };
        if (value.kind() == Kind::list) {
            join('[', value.items(), ']');
        } else if (value.kind() == Kind::tuple) {
            join('(', value.items(), ')');
        } else if (value.kind() == Kind::dict) {
            text += '{';
            bool is_first = true;
            for (const auto& entry : sorted_entries(value.dict())) {
                text += (std::exchange(is_first, false) ? "" : ", ") + flat(entry.key, depth + 1) + ": " +
                        flat(entry.value, depth + 1);
            }
            text += '}';
        } else {
            text = value.repr();
        }
        return text;
    }

    // `indent`: where the lines of the value begin; `allowance`: what follows on its last line.
    void print(const Value& value, size_t indent, size_t allowance, int depth) {
        const std::string line = flat(value, depth);
        const bool fits = count_code_points(line) + indent + allowance <= kWidth;
        if (fits || depth > kNestedMax) {
            out_ += line;
        } else if (value.kind() == Kind::dict && value.dict().size() > 0) {
            print_dict(value.dict(), indent, allowance, depth);
        } else if ((value.kind() == Kind::list || value.kind() == Kind::tuple) && !value.items().empty()) {
            print_items(value, indent, allowance, depth);
        } else {
            out_ += line;
        }
    }

    void print_items(const Value& value, size_t indent, size_t allowance, int depth) {
        const bool is_tuple = value.kind() == Kind::tuple;
        const auto& items = value.items();
        out_ += is_tuple ? '(' : '[';
        for (size_t i = 0; i < items.size(); ++i) {
            if (i > 0) out_ += ",\n" + std::string(indent + 1, ' ');
            print(items[i], indent + 1, i + 1 == items.size() ? allowance + 1 : 1, depth + 1);
        }
        if (is_tuple && items.size() == 1) out_ += ',';
        out_ += is_tuple ? ')' : ']';
    }

    void print_dict(const Dict& dict, size_t indent, size_t allowance, int depth) {
        const auto entries = sorted_entries(dict);
        out_ += '{';
        for (size_t i = 0; i < entries.size(); ++i) {
            if (i > 0) out_ += ",\n" + std::string(indent + 1, ' ');
            const std::string key = flat(entries[i].key, depth + 1);
            out_ += key + ": ";
            const bool is_last = i + 1 == entries.size();
            print(entries[i].value, indent + count_code_points(key) + 3, is_last ? allowance + 1 : 1, depth + 1);
        }
        out_ += '}';
    }

    std::string out_;
    size_t printed_ = 0;
};

}  // namespace

std::string pretty_print(const Value& value) { return PrettyPrinter().run(value); }

}  // namespace shaduf::jinja
