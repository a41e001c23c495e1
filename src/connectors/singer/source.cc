#include "connectors/singer/source.h"

#include <utility>

#include "connectors/command/source.h"
#include "connectors/singer/catalog.h"
#include "connectors/singer/protocol.h"

// One stream is one run of the tap, with that stream alone selected. Most taps begin *at* their bookmark, so that the
// last rows come once more in the next run: merge takes them once.
namespace shaduf::singer {
namespace {

constexpr std::string_view kNoCatalog = "none";

class SingerSource final : public CommandSource {
public:
    SingerSource(CommandOptions command, std::string catalog, std::string option, StreamRequest request)
        : CommandSource(std::move(command), std::move(request)),
          catalog_(std::move(catalog)),
          option_(std::move(option)) {}

    std::vector<ShapeColumn> known_columns() const override { return selected_.columns; }

protected:
    Result<void> learn(RunContext& run, const CommandLauncher& launcher) override {
        selected_ = {{}, request().stream, {}};
        if (catalog_ == kNoCatalog) return {};
        const auto catalog = TRY(Catalog::share(run, catalog_, launcher));
        auto selected = catalog->select(request());
        if (!selected.ok()) return selected.error().at(request().options.place());
        selected_ = selected.release_value();
        return {};
    }

    Result<void> check_checkpoint(const Checkpoint& checkpoint) const override {
        TRY(value_of(checkpoint.value()));
        return {};
    }

    Result<Call> make_call(const CommandLauncher& launcher, const std::optional<Checkpoint>& position) override {
        Call call;
        call.resumes = request().mode == ReadMode::incremental;
        call.arguments = {"--config", launcher.config_path()};
        if (!selected_.catalog.empty()) {
            call.arguments.push_back("--" + option_);
            call.arguments.push_back(TRY(launcher.write("catalog.json", selected_.catalog)));
        }
        if (position && call.resumes) {
            call.arguments.emplace_back("--state");
            call.arguments.push_back(TRY(launcher.write("state.json", TRY(value_of(position->value())))));
        }
        call.protocol = std::make_unique<Protocol>(Protocol::Wanted{selected_.stream_name, call.resumes});
        return call;
    }

private:
    const std::string catalog_;
    const std::string option_;  // "catalog" or "properties"
    Catalog::Selected selected_;
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
