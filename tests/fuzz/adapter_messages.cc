// Reads any bytes as what a source of Airbyte or a Singer tap writes: as lines of messages, or as a catalog and a
// state. Rows are whole JSON objects as nlohmann-json sees them, positions are ones that can be read again and hold the
// state to the letter; what a catalog tells of streams can be asked for.

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/run_events.h"
#include "connectors/airbyte/catalog.h"
#include "connectors/airbyte/import.h"
#include "connectors/airbyte/protocol.h"
#include "connectors/singer/catalog.h"
#include "connectors/singer/import.h"
#include "connectors/singer/protocol.h"
#include "data/ndjson.h"
#include "io/duckdb.h"
#include "io/http.h"

namespace shaduf {
namespace {

constexpr size_t kLineBytesMax = 512;  // small, so that lines that are too long come about

void require(bool condition) {
    if (!condition) std::abort();
}

class Silence final : public RunEvents {};

// The world of a run that asks it for nothing.
struct QuietWorld {
    SystemClock clock;
    Cancellation cancellation;
    std::unique_ptr<HttpTransport> http = make_curl_transport();
    DuckDbInstances databases;
    Silence events;
    RunContext run{clock, cancellation, *http, databases, events};
};

// Whether a peer takes `text` for JSON of that kind. Where it gives up (a number that no double holds) it is believed.
bool is_json(std::string_view text, bool (*is_kind)(const nlohmann::json&)) {
    try {
        return is_kind(nlohmann::json::parse(text));
    } catch (const nlohmann::json::out_of_range&) {
        return true;
    } catch (const nlohmann::json::exception&) {
        return false;
    }
}

bool is_object(const nlohmann::json& json) { return json.is_object(); }
bool is_anything(const nlohmann::json&) { return true; }

void check_rows(const RowsToPosition& out) {
    size_t next_broken = 0;
    for (size_t i = 0; i < out.rows.rows.size(); ++i) {
        if (next_broken < out.rows.broken.size() && out.rows.broken[next_broken].row == i) {
            require(!out.rows.broken[next_broken++].why.empty());
            continue;
        }
        require(is_json(out.rows.row(i), is_object));
        (void)out.rows.position(i);
    }
    require(next_broken == out.rows.broken.size());
    if (out.position) require(out.position->before <= out.rows.rows.size());
}

// The lines of `text`, given to the protocol in two parts, as they come from a pipe.
template <typename CheckPosition>
void read_all(LineProtocol& protocol, RunContext& run, std::string_view text, CheckPosition check_position) {
    ChildLog log(run, "fuzz", {"s3cr3t"});
    NdjsonSplitter splitter("fuzz", kLineBytesMax);
    const size_t half = text.size() / 2;
    for (const auto part : {text.substr(0, half), text.substr(half)}) {
        splitter.input().append(part);
        RawRows lines = part.data() == text.data() ? splitter.take() : splitter.finish();
        if (lines.rows.empty()) continue;
        const auto out = protocol.read_lines(std::move(lines), log);
        if (!out.ok()) return;
        check_rows(out.value());
        if (out.value().position) check_position(out.value().position->text);
    }
    (void)protocol.judge_end({}, "", log);
    log.finish();
}

void read_airbyte(RunContext& run, std::string_view text) {
    airbyte::Protocol protocol({.stream = "s", .name_space = "", .resumes = true});
    read_all(protocol, run, text, [](const std::string& position) {
        const auto parsed = airbyte::Position::parse(position);
        require(parsed.ok() && is_json(parsed.value().state_file(), is_anything));
    });
    airbyte::MessageReader reader;
    NdjsonSplitter splitter("fuzz");
    splitter.input().append(text);
    const RawRows lines = splitter.finish();
    for (size_t i = 0; i < lines.rows.size(); ++i) {
        const auto& message = reader.read(lines.row(i));
        if (message.kind == airbyte::MessageKind::trace) (void)airbyte::trace_error_text(message.body);
    }
}

void read_singer(RunContext& run, std::string_view text) {
    singer::Protocol protocol({.stream = "s", .resumes = true});
    read_all(protocol, run, text, [&](const std::string& position) {
        const auto value = singer::value_of(position);
        require(value.ok() && is_json(value.value(), is_object));
        require(text.find(value.value()) != std::string_view::npos);
    });
}

// The options of a stream of which nothing is said.
Options options_of(std::string_view connector) {
    static const auto registry = builtin_connectors();
    Options options;
    const ValueResolver plain = [](std::string_view text, const Place&) { return std::string(text); };
    require(Options::create(registry.find(connector)->stream_fields, Node::map({}, {}), plain, options).empty());
    return options;
}

// One stream after the other, in each mode.
template <typename Use>
void ask_for(const std::vector<StreamInfo>& streams, const Options& options, Use use) {
    for (const StreamInfo& stream : streams) {
        for (const ReadMode mode : {ReadMode::full_refresh, ReadMode::incremental}) {
            StreamRequest request;
            request.stream = stream.name;
            request.mode = mode;
            request.options = options;
            use(request);
        }
    }
}

void read_catalog(std::string_view text) {
    const auto end = text.find('\0');
    const std::string_view catalog = text.substr(0, end);
    const std::string_view state = end == std::string_view::npos ? "" : text.substr(end + 1);
    for (auto* const import : {airbyte::import_streams, singer::import_streams}) {
        const auto imported = import(catalog, state);
        if (!imported.ok()) continue;
        for (const ImportedStream& stream : imported.value()) require(!stream.name.empty());
    }
    if (const auto parsed = airbyte::Catalog::parse(catalog, "fuzz"); parsed.ok()) {
        require(parsed.value().names().size() == parsed.value().streams().size());
        static const Options options = options_of("airbyte");
        ask_for(parsed.value().streams(), options, [&](const StreamRequest& request) {
            const auto stream = parsed.value().stream(request.stream);
            require(stream.ok());
            (void)airbyte::configure(stream.value(), request);
        });
    }
    if (const auto parsed = singer::Catalog::parse(catalog, "fuzz"); parsed.ok()) {
        (void)parsed.value().choices();
        static const Options options = options_of("singer");
        ask_for(parsed.value().streams(), options,
                [&](const StreamRequest& request) { (void)parsed.value().select(request); });
    }
}

void run(std::string_view bytes) {
    if (bytes.empty()) return;
    static QuietWorld world;
    const std::string_view text = bytes.substr(1);
    switch (bytes.front() % 3) {
        case 0: return read_airbyte(world.run, text);
        case 1: return read_singer(world.run, text);
        default: return read_catalog(text);
    }
}

}  // namespace
}  // namespace shaduf

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    shaduf::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
