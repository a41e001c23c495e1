#include "connectors/airbyte/source.h"

#include <utility>

#include "connectors/airbyte/catalog.h"
#include "connectors/airbyte/protocol.h"
#include "connectors/command/source.h"

// One stream is one child, with a catalog of that stream alone.
namespace shaduf::airbyte {
namespace {

class AirbyteSource final : public CommandSource {
public:
    AirbyteSource(CommandOptions command, std::string catalog, StreamRequest request)
        : CommandSource(std::move(command), std::move(request)), catalog_(std::move(catalog)) {}

    std::vector<ShapeColumn> known_columns() const override { return stream_.columns; }

protected:
    Result<void> learn(RunContext& run, const CommandLauncher& launcher) override {
        const auto catalog = TRY(Catalog::share(run, catalog_, launcher));
        auto stream = catalog->stream(request().stream);
        if (!stream.ok()) return stream.error().at(request().options.place());
        auto configured = configure(stream.value(), request());
        if (!configured.ok()) return configured.error().at(request().options.place());
        stream_ = configured.release_value();
        return {};
    }

    Result<void> check_checkpoint(const Checkpoint& checkpoint) const override {
        TRY(Position::parse(checkpoint.value()));
        return {};
    }

    Result<Call> make_call(const CommandLauncher& launcher, const std::optional<Checkpoint>& position) override {
        Call call;
        call.resumes = stream_.resumes;
        call.arguments = {"read", "--config", launcher.config_path(), "--catalog",
                          TRY(launcher.write("catalog.json", stream_.catalog))};
        if (position && stream_.resumes) {
            const Position parsed = TRY(Position::parse(position->value()));
            call.arguments.emplace_back("--state");
            call.arguments.push_back(TRY(launcher.write("state.json", parsed.state_file())));
        }
        call.protocol = std::make_unique<Protocol>(Protocol::Wanted{stream_.name, stream_.name_space, stream_.resumes});
        return call;
    }

private:
    const std::string catalog_;
    ConfiguredStream stream_;
};

}  // namespace

Result<std::unique_ptr<Source>> make_source(const Options& options, const StreamRequest& stream) {
    return std::make_unique<AirbyteSource>(TRY(CommandOptions::read(options)), options.text("catalog"), stream);
}

Result<std::vector<StreamInfo>> discover(RunContext& run, const std::string&, const Options& options) {
    const CommandLauncher launcher = TRY(CommandLauncher::create(TRY(CommandOptions::read(options))));
    return TRY(Catalog::load(run, options.text("catalog"), launcher)).streams();
}

Result<void> check(RunContext& run, const std::string& connection, const Options& options) {
    const CommandLauncher launcher = TRY(CommandLauncher::create(TRY(CommandOptions::read(options))));
    const RowChildSettings call = launcher.call({"check", "--config", launcher.config_path()}, connection);
    const ChildAnswer answer = TRY(ask_child(run, call));
    const ChildLog log(run, connection, call.secrets);
    MessageReader reader;
    std::string failure;
    for (size_t i = 0; i < answer.lines.rows.size(); ++i) {
        const Message& message = reader.read(answer.lines.row(i));
        if (message.kind == MessageKind::trace && failure.empty()) failure = trace_error_text(message.body);
        if (message.kind != MessageKind::connection_status) continue;
        const auto status = nlohmann::json::parse(message.body, nullptr, false);
        if (status.is_object() && status.value("status", nlohmann::json()) == "SUCCEEDED") return {};
        const auto why = status.is_object() ? status.value("message", nlohmann::json()) : nlohmann::json();
        return Error(ErrorKind::invalid_config,
                     "source refuses its configuration: " +
                         log.without_secrets(why.is_string() ? why.get<std::string>() : "no message"))
            .at(options.place());
    }
    if (failure.empty()) failure = end_of_child(answer.exit, answer.tail);
    return Error(ErrorKind::unavailable, "source does not answer check: " + log.without_secrets(failure)).permanent();
}

}  // namespace shaduf::airbyte
