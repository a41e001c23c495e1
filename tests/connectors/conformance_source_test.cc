#include <chrono>

#include "tests/connectors/conformance_suite.h"

// What connector.h promises of a source, tried out on the streams of each connector's fixture.
namespace shaduf {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using StreamCase = ConformanceFixture::StreamCase;

// What a source gave, up to its end or an error.
struct Reading {
    struct Step {
        size_t rows_before;  // how many of `rows` stand before the checkpoint
        Checkpoint checkpoint;
    };
    std::vector<std::string> rows;
    std::vector<Step> steps;
    std::optional<Error> error;
};

void append_rows(const ReadBatch& batch, std::vector<std::string>& out) {
    if (const auto* raw = std::get_if<RawRows>(&batch.rows)) {
        for (size_t i = 0; i < raw->rows.size(); ++i) out.emplace_back(raw->row(i));
        return;
    }
    const auto& rows = std::get<RecordBatch>(batch.rows);
    for (size_t i = 0; i < rows.rows(); ++i) out.push_back(rows.row_as_json(i));
}

// In any order; says the first that is missing or too many, since there can be many.
void expect_same_rows(std::span<const std::string> got, std::span<const std::string> wanted) {
    std::vector<std::string> found(got.begin(), got.end());
    std::vector<std::string> expected(wanted.begin(), wanted.end());
    std::sort(found.begin(), found.end());
    std::sort(expected.begin(), expected.end());
    const auto [a, b] = std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
    if (a == found.end() && b == expected.end()) return;
    ADD_FAILURE() << found.size() << " rows instead of " << expected.size() << "; the first that differs is "
                  << (a == found.end() ? "missing" : *a) << " instead of " << (b == expected.end() ? "none" : *b);
}

class EverySource : public EveryConnector {
protected:
    void SetUp() override {
        fixture_ = make_fixture();
        ASSERT_NE(fixture_, nullptr);
        if (const std::string missing = fixture_->missing(); !missing.empty()) GTEST_SKIP() << missing;
        fixture_->fill();
        ASSERT_THAT(fixture_->streams(), Not(IsEmpty())) << "the fixture of a source has streams";
    }
    RunContext& run() { return fixture_->world.run; }

    // Calls `each` for every stream of the fixture.
    template <typename Each>
    void for_each_stream(const Each& each) {
        for (const StreamCase& stream : fixture_->streams()) {
            SCOPED_TRACE(stream.stream);
            each(stream);
        }
    }
    Result<std::unique_ptr<Source>> make(const StreamCase& stream) {
        StreamRequest request{"conformance", stream.stream, stream.mode,
                              options_of(spec().stream_fields, stream.options)};
        request.pipeline_streams.emplace_back(stream.stream, request.options);
        if (stream.connection.empty()) return spec().make_source(connection_of(*fixture_), request);
        return spec().make_source(options_of(spec().fields, stream.connection), request);
    }
    Reading read(const StreamCase& stream, const std::optional<Checkpoint>& from = std::nullopt) {
        Reading reading;
        auto source = make(stream);
        if (!source.ok()) return {{}, {}, source.error()};
        auto opened = source.value()->open(run(), from);
        if (!opened.ok()) return {{}, {}, opened.error()};
        for (;;) {
            auto batch = source.value()->read(run());
            if (!batch.ok()) {
                reading.error = batch.error();
                return reading;
            }
            if (!batch.value()) return reading;
            append_rows(*batch.value(), reading.rows);
            if (batch.value()->next) reading.steps.push_back({reading.rows.size(), *batch.value()->next});
        }
    }
    void expect_no_error(const Reading& reading) {
        EXPECT_FALSE(reading.error.has_value()) << reading.error->to_string();
    }

    std::unique_ptr<ConformanceFixture> fixture_;
};

TEST_P(EverySource, GoesOnBehindEachCheckpoint) {
    for_each_stream([&](const StreamCase& stream) {
        const Reading whole = read(stream);
        expect_no_error(whole);
        EXPECT_EQ(whole.rows.size(), stream.rows);
        const auto on_the_way = [&](const Reading::Step& step) { return step.rows_before < whole.rows.size(); };
        EXPECT_EQ(std::any_of(whole.steps.begin(), whole.steps.end(), on_the_way), stream.resumes);
        for (const auto& [rows_before, checkpoint] : whole.steps) {
            if (stream.repeats && rows_before == whole.rows.size()) continue;
            SCOPED_TRACE(checkpoint.value());
            EXPECT_LE(checkpoint.value().size(), size_t{1} << 20);
            const Reading rest = read(stream, checkpoint);
            expect_no_error(rest);
            expect_same_rows(rest.rows, std::span(whole.rows).subspan(rows_before));
        }
    });
}

TEST_P(EverySource, ReadsTheSameFromTheSameCheckpoint) {
    for_each_stream([&](const StreamCase& stream) {
        const Reading first = read(stream);
        expect_same_rows(read(stream).rows, first.rows);
        if (first.steps.empty()) return;
        const Checkpoint& middle = first.steps[first.steps.size() / 2].checkpoint;
        expect_same_rows(read(stream, middle).rows, read(stream, middle).rows);
    });
}

// Fails before each read in turn; what was not given yet comes when the read is made again, nothing twice.
TEST_P(EverySource, GoesOnAfterAFailure) {
    if (!fixture_->break_reads()) return;  // no failure of this system may be tried again
    fixture_->repair_reads();
    size_t failures = 0;
    for_each_stream([&](const StreamCase& stream) {
        const auto again = [&](const auto& call) {
            EXPECT_TRUE(fixture_->break_reads());
            auto done = call();
            fixture_->repair_reads();
            if (done.ok()) return done;
            ++failures;
            EXPECT_TRUE(done.error().may_retry()) << done.error().to_string();
            return call();
        };
        auto source = make(stream).release_value();
        const auto opened = again([&] { return source->open(run(), std::nullopt); });
        ASSERT_TRUE(opened.ok()) << opened.error().to_string();
        std::vector<std::string> rows;
        for (;;) {
            auto batch = again([&] { return source->read(run()); });
            ASSERT_TRUE(batch.ok()) << batch.error().to_string();
            if (!batch.value()) break;
            append_rows(*batch.value(), rows);
        }
        expect_same_rows(rows, read(stream).rows);
    });
    EXPECT_GT(failures, 0U) << "the fixture broke nothing";
}

TEST_P(EverySource, EndsSoonAfterCancellation) {
    for (size_t i = 0; i < fixture_->streams().size(); ++i) {
        fixture_.reset();
        fixture_ = make_fixture();
        fixture_->fill();
        const StreamCase stream = fixture_->streams()[i];
        SCOPED_TRACE(stream.stream);
        auto source = make(stream).release_value();
        ASSERT_TRUE(source->open(run(), std::nullopt).ok());
        ASSERT_TRUE(source->read(run()).ok());
        const auto began = std::chrono::steady_clock::now();
        fixture_->world.cancellation.cancel();
        for (;;) {
            auto batch = source->read(run());
            if (batch.ok() && batch.value()) continue;
            EXPECT_TRUE(batch.ok() || batch.error().kind() == ErrorKind::canceled) << batch.error().to_string();
            break;
        }
        source.reset();
        EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(1));
    }
}

// Whatever goes wrong, no message shows a credential.
TEST_P(EverySource, KeepsItsSecrets) {
    for_each_stream([&](const StreamCase& stream) {
        std::vector<Error> errors;
        const auto note = [&](const auto& done) {
            if (!done.ok()) errors.push_back(done.error());
        };
        fixture_->break_reads();
        const Options connection = connection_of(*fixture_, "s3cr3t");
        if (spec().check != nullptr) note(spec().check(run(), "conformance", connection));
        if (spec().discover != nullptr) note(spec().discover(run(), "conformance", connection));
        if (auto reading = read(stream); reading.error) errors.push_back(*reading.error);
        fixture_->repair_reads();
        if (auto reading = read(stream, Checkpoint("no checkpoint of this source")); reading.error) {
            errors.push_back(*reading.error);
        }
        Options ignored;
        for (Error& error : read_fields(spec().fields, fixture_->connection("s3cr3t") + "\nunknown_key: 1", ignored)) {
            errors.push_back(std::move(error));
        }
        EXPECT_THAT(errors, Not(IsEmpty()));
        for (const Error& error : errors) EXPECT_THAT(error.to_string(), Not(HasSubstr("s3cr3t")));
        for (const auto& message : fixture_->world.events.messages()) EXPECT_THAT(message, Not(HasSubstr("s3cr3t")));
    });
}

bool is_source(const ConnectorSpec& spec) { return spec.make_source != nullptr; }
INSTANTIATE_TEST_SUITE_P(Builtin, EverySource, testing::ValuesIn(connectors_with(is_source)), ConnectorName());

}  // namespace
}  // namespace shaduf
