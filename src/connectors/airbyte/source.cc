#include "connectors/airbyte/source.h"

#include <utility>

#include "connectors/airbyte/catalog.h"
#include "connectors/airbyte/protocol.h"

// One stream is one child, with a catalog of that stream alone. Rows are handed on as they stand in the child's lines.
// A state is a checkpoint behind the rows before it. Rows behind the last state wait for the next one, within limits,
// so that a source that dies for a moment can be started again from there without a row twice.
namespace shaduf::airbyte {
namespace {

class AirbyteSource final : public Source, public ColumnTeller {
public:
    AirbyteSource(CommandOptions command, std::string catalog, StreamRequest request)
        : command_(std::move(command)), catalog_(std::move(catalog)), request_(std::move(request)) {}

    Result<void> open(RunContext& run, const std::optional<Checkpoint>& resume_from) override {
        position_.reset();
        if (resume_from) position_ = TRY(Position::parse(resume_from->value()));
        child_.reset();
        launcher_ = TRY(CommandLauncher::create(command_));
        const Catalog catalog = TRY(Catalog::load(run, catalog_, *launcher_));
        auto stream = catalog.stream(request_.stream);
        if (!stream.ok()) return stream.error().at(request_.options.place());
        auto configured = configure(stream.value(), request_);
        if (!configured.ok()) return configured.error().at(request_.options.place());
        stream_ = configured.release_value();
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
        if (piece.value()->position) {
            position_ = Position{std::move(*piece.value()->position)};
            batch.next = Checkpoint(position_->text);
        }
        batch.place = request_.stream;
        batch.rows = std::move(piece.value()->rows);
        return std::optional(std::move(batch));
    }

    std::vector<ShapeColumn> known_columns() const override { return stream_.columns; }

private:
    Result<void> start(RunContext& run) {
        std::vector<std::string> arguments{"read", "--config", launcher_->config_path(), "--catalog",
                                           TRY(launcher_->write("catalog.json", stream_.catalog))};
        if (position_ && stream_.resumes) {
            arguments.insert(arguments.end(),
                             {"--state", TRY(launcher_->write("state.json", position_->state_file()))});
        }
        auto settings = launcher_->call(arguments, request_.stream);
        if (!stream_.resumes) settings.held_bytes_max = 0;  // no position will come
        protocol_.emplace(Protocol::Wanted{stream_.name, stream_.name_space, stream_.resumes});
        child_ = TRY(RowChild::start(run, std::move(settings), *protocol_));
        return {};
    }

    const CommandOptions command_;
    const std::string catalog_;
    const StreamRequest request_;
    std::optional<CommandLauncher> launcher_;
    ConfiguredStream stream_;
    std::optional<Position> position_;
    std::optional<Protocol> protocol_;
    std::unique_ptr<RowChild> child_;
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
