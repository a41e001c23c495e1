#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/connector.h"
#include "io/duckdb.h"
#include "tests/world.h"

// The suite that every connector passes: conformance_spec_test.cc looks at what a spec declares, for each connector
// that the build found; conformance_source_test.cc and conformance_sink_test.cc try out what connector.h promises, on
// data that a fixture puts there. Each connector brings its own: a function conformance_<name>() in a file of tests/
// connectors. The build collects them (weakly: a missing one is a failed test that says so, not a link error).
namespace shaduf {

class ConformanceFixture {
public:
    // A stream that can be read through the connection, with at least two rows.
    struct StreamCase {
        std::string stream;
        ReadMode mode = ReadMode::incremental;
        std::string options = {};     // YAML of ConnectorSpec::stream_fields
        size_t rows = 0;              // that it holds
        bool resumes = true;          // gives checkpoints on the way
        bool repeats = false;         // behind a whole load, the next gives rows again: to be replaced or merged
        std::string connection = {};  // YAML, when it is another one than the fixture's
    };

    virtual ~ConformanceFixture() = default;
    // What the system needs and this machine does not have; "" when all is there.
    virtual std::string missing() { return ""; }
    // YAML of a connection; `secret` stands where it has a credential.
    virtual std::string connection(const std::string& secret) = 0;
    // The same of its sink, where that needs more of the system than its source.
    virtual std::string missing_sink() { return missing(); }
    virtual std::string sink_connection(const std::string& secret) { return connection(secret); }
    // Of a source: puts the data of `streams` there.
    virtual void fill() {}
    virtual std::vector<StreamCase> streams() { return {}; }
    // Makes reading fail, in a way that may be tried again, until `repair_reads`. false: such a thing does not happen
    // to this system.
    virtual bool break_reads() { return false; }
    virtual void repair_reads() {}
    // Of a sink: "id|name" of each row of a table that its readers see now, sorted; none when there is no table.
    virtual std::vector<std::string> visible_rows(const TableTarget& table) {
        (void)table;
        return {};
    }

    TempFolder folder;
    DuckDbInstances databases;
    World world{databases};
};

struct ConformanceEntry {
    std::string_view connector;
    std::unique_ptr<ConformanceFixture> (*make)();  // nullptr: there is none
};
// One of each connector, written by the build.
std::vector<ConformanceEntry> conformance_fixtures();

}  // namespace shaduf
