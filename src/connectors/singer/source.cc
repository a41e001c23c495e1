#include "connectors/singer/source.h"

#include <utility>

#include "connectors/singer/catalog.h"
#include "connectors/singer/protocol.h"

// One stream is one run of the tap, with that stream alone selected. Rows are handed on as they stand in the tap's
// lines; a STATE is a checkpoint behind the rows before it. Most taps begin *at* their bookmark, so that the last rows
// come once more in the next run: merge takes them once.
namespace shaduf::singer {
namespace {

constexpr std::string_view kNoCatalog = "none";

class SingerSource final : public Source, public ColumnTeller {
public:
    SingerSource(CommandOptions command, std::string catalog, std::string option, StreamRequest request)
        : command_(std::move(command)),
          catalog_(std::move(catalog)),
          option_(std::move(option)),
          request_(std::move(request)) {}

    Result<void> open(RunContext& run, const std::optional<Checkpoint>& resume_from) override {
        state_.reset();
        if (resume_from) state_ = TRY(value_of(resume_from->value()));
        child_.reset();
        launcher_ = TRY(CommandLauncher::create(command_));
        selected_ = {{}, request_.stream, {}};
        if (catalog_ != kNoCatalog) {
            const Catalog catalog = TRY(Catalog::load(run, catalog_, *launcher_));
            auto selected = catalog.select(request_);
            if (!selected.ok()) return selected.error().at(request_.options.place());
            selected_ = selected.release_value();
        }
        return start(run);
    }

    Result<std::optional<ReadBatch>> read(RunContext& run) override {
        if (child_ == nullptr) TRY(start(run));
        auto piece = child_->next(run);
        if (!piece.ok()) {
            const bool may_start_again = child_->drop_held();
            child_.reset();
            return may_start_again ? piece.error() : piece.error().permanent();
        }
        if (!piece.value()) return std::optional<ReadBatch>();
        ReadBatch batch;
        if (const auto& position = piece.value()->position) {
            state_ = TRY(value_of(*position));
            batch.next = Checkpoint(*position);
        }
        batch.place = request_.stream;
        batch.rows = std::move(piece.value()->rows);
        return std::optional(std::move(batch));
    }

    std::vector<ShapeColumn> known_columns() const override { return selected_.columns; }

private:
    bool resumes() const { return request_.mode == ReadMode::incremental; }

    Result<void> start(RunContext& run) {
        std::vector<std::string> arguments{"--config", launcher_->config_path()};
        if (!selected_.catalog.empty()) {
            arguments.push_back("--" + option_);
            arguments.push_back(TRY(launcher_->write("catalog.json", selected_.catalog)));
        }
        if (state_ && resumes()) {
            arguments.push_back("--state");
            arguments.push_back(TRY(launcher_->write("state.json", *state_)));
        }
        auto settings = launcher_->call(arguments, request_.stream);
        if (!resumes()) settings.held_bytes_max = 0;  // no position will come
        protocol_.emplace(Protocol::Wanted{selected_.stream_name, resumes()});
        child_ = TRY(RowChild::start(run, std::move(settings), *protocol_));
        return {};
    }

    const CommandOptions command_;
    const std::string catalog_;
    const std::string option_;  // "catalog" or "properties"
    const StreamRequest request_;
    std::optional<CommandLauncher> launcher_;
    Catalog::Selected selected_;
    std::optional<std::string> state_;
    std::optional<Protocol> protocol_;
    std::unique_ptr<RowChild> child_;
};

}  // namespace

Result<std::unique_ptr<Source>> make_source(const Options& options, const StreamRequest& stream) {
    if (stream.mode != ReadMode::full_refresh && stream.mode != ReadMode::incremental) {
        return Error(ErrorKind::invalid_config,
                     "a singer stream is read by mode full_refresh or incremental only: " + stream.stream)
            .at(stream.options.place());
    }
    return std::make_unique<SingerSource>(TRY(CommandOptions::read(options)), options.text("catalog"),
                                          options.text("catalog_option"), stream);
}

Result<std::vector<StreamInfo>> discover(RunContext& run, const std::string&, const Options& options) {
    if (options.text("catalog") == kNoCatalog) {
        return options.error("catalog", "is none: the streams are known only from the tap's documentation");
    }
    const CommandLauncher launcher = TRY(CommandLauncher::create(TRY(CommandOptions::read(options))));
    return TRY(Catalog::load(run, options.text("catalog"), launcher)).streams();
}

// The protocol knows no check: a tap that tells its catalog has reached its system. One that does not is only asked for
// its help.
Result<void> check(RunContext& run, const std::string& connection, const Options& options) {
    const CommandLauncher launcher = TRY(CommandLauncher::create(TRY(CommandOptions::read(options))));
    if (options.text("catalog") == kNoCatalog) {
        TRY(ask_child(run, launcher.call({"--help"}, connection)));
        return {};
    }
    TRY(Catalog::load(run, options.text("catalog"), launcher));
    return {};
}

}  // namespace shaduf::singer
