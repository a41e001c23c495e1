#include "connectors/command/source.h"

#include <utility>

namespace shaduf {

CommandSource::CommandSource(CommandOptions command, StreamRequest request)
    : command_(std::move(command)), request_(std::move(request)) {}

Result<void> CommandSource::open(RunContext& run, const std::optional<Checkpoint>& resume_from) {
    if (resume_from) TRY(check_checkpoint(*resume_from));
    position_ = resume_from;
    child_.reset();
    launcher_ = TRY(CommandLauncher::create(command_));
    TRY(learn(run, *launcher_));
    return start(run);
}

Result<void> CommandSource::start(RunContext& run) {
    Call call = TRY(make_call(*launcher_, position_));
    auto settings = launcher_->call(call.arguments, request_.stream);
    if (!call.resumes) settings.held_bytes_max = 0;
    protocol_ = std::move(call.protocol);
    child_ = TRY(RowChild::start(run, std::move(settings), *protocol_));
    return {};
}

Result<std::optional<ReadBatch>> CommandSource::read(RunContext& run) {
    if (child_ == nullptr) TRY(start(run));
    auto piece = child_->next(run);
    if (!piece.ok()) {
        const bool may_start_again = child_->drop_held();
        child_.reset();
        return may_start_again ? piece.error() : piece.error().permanent();
    }
    if (!piece.value()) return std::optional<ReadBatch>();
    ReadBatch batch;
    if (auto& position = piece.value()->position) {
        position_ = Checkpoint(std::move(*position));
        batch.next = position_;
    }
    batch.place = request_.stream;
    batch.rows = std::move(piece.value()->rows);
    return std::optional(std::move(batch));
}

}  // namespace shaduf
