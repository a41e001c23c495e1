#include "models/adapters/duckdb/external.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>

#include "base/text.h"

namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Dict;
using jinja::Ref;
using jinja::Value;

struct Location {
    std::string path;
    Ref<Dict> options;
};

Result<Location> read_location(std::string_view function, const Arguments& arguments) {
    const std::array<jinja::Parameter, 2> parameters = {{{"write_location"}, {"rendered_options"}}};
    const auto values = TRY(jinja::bind_arguments(function, parameters, arguments));
    if (values[1].kind() != jinja::Kind::dict) {
        return Error(ErrorKind::invalid_config,
                     std::string(function) + ": rendered_options must be a dict, found: " + values[1].repr());
    }
    return Location{values[0].text(), Ref<Dict>(&values[1].dict())};
}

// The format that a location's extension tells; a trailing .gz or .zst is its compression.
void infer_format(const std::string& path, Dict& options) {
    std::filesystem::path name(path);
    std::string extension = to_lower(name.extension().string());
    const bool is_gzip = extension == ".gz";
    if (is_gzip || extension == ".zst") {
        extension = to_lower(name.stem().extension().string());
        if (!extension.empty() && options.find("compression") == nullptr) {
            options.set("compression", is_gzip ? "gzip" : "zstd");
        }
    }
    if (!extension.empty())
        options.set("format", extension.substr(1));
    else
        options.set("format", options.find("delimiter") != nullptr ? "csv" : "parquet");
}

std::string option(const Dict& options, std::string_view name, std::string fallback = "") {
    const Value* value = options.find(name);
    return value == nullptr || !value->truth() ? fallback : value->text();
}

bool is_quoted_option(std::string_view name) {
    const std::string word = to_lower(name);
    return word == "delimiter" || word == "quote" || word == "escape" || word == "null";
}

}  // namespace

Result<Value> external_write_options(const Arguments& arguments) {
    const Location location = TRY(read_location("external_write_options", arguments));
    Dict& options = *location.options;
    if (options.find("format") == nullptr) infer_format(location.path, options);
    if (option(options, "format") == "csv" && options.find("header") == nullptr) options.set("header", 1);
    const std::string partitions = option(options, "partition_by");
    if (partitions.find(',') != std::string::npos && !partitions.starts_with('(')) {
        options.set("partition_by", "(" + partitions + ")");
    }
    std::vector<std::string> written;
    for (const auto& [name, value] : options.entries()) {
        const std::string text = value.text();
        const bool must_quote = is_quoted_option(name.text()) && !text.starts_with('\'');
        written.push_back(name.text() + " " + (must_quote ? "'" + text + "'" : text));
    }
    return Value(join(written, ", "));
}

Result<Value> external_read_location(const Arguments& arguments) {
    const Location location = TRY(read_location("external_read_location", arguments));
    const std::string partitions = option(*location.options, "partition_by");
    if (partitions.empty() && option(*location.options, "per_thread_output").empty()) return Value(location.path);
    std::string glob = location.path + "/*";
    if (!partitions.empty()) {
        const auto commas = std::count(partitions.begin(), partitions.end(), ',');
        for (ptrdiff_t i = 0; i <= commas; ++i) glob += "/*";
    }
    return Value(glob + "." + option(*location.options, "format", "parquet"));
}

}  // namespace shaduf::models
