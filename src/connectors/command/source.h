#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/command/options.h"
#include "connectors/connector.h"

namespace shaduf {

// Reads one stream as one child, whose rows are handed on as they stand in its lines. What it tells of its state is a
// checkpoint behind the rows before it; rows behind the last one wait for the next, within limits, so that a child that
// dies for a moment can be started again from there without a row twice. The subclass speaks the protocol.
class CommandSource : public Source, public ColumnTeller {
public:
    Result<void> open(RunContext& run, const std::optional<Checkpoint>& resume_from) final;
    Result<std::optional<ReadBatch>> read(RunContext& run) final;

protected:
    CommandSource(CommandOptions command, StreamRequest request);

    // Learns what there is to read, before the first call. Errors get the stream's place.
    virtual Result<void> learn(RunContext& run, const CommandLauncher& launcher) = 0;
    // invalid_config when it is none of this protocol.
    virtual Result<void> check_checkpoint(const Checkpoint& checkpoint) const = 0;
    struct Call {
        std::vector<std::string> arguments;
        std::unique_ptr<LineProtocol> protocol;
        bool resumes = false;  // positions will come
    };
    // How the child is to be started, behind `position`.
    virtual Result<Call> make_call(const CommandLauncher& launcher, const std::optional<Checkpoint>& position) = 0;

    const StreamRequest& request() const { return request_; }

private:
    Result<void> start(RunContext& run);

    const CommandOptions command_;
    const StreamRequest request_;
    std::optional<CommandLauncher> launcher_;
    std::optional<Checkpoint> position_;
    std::unique_ptr<LineProtocol> protocol_;
    std::unique_ptr<RowChild> child_;  // goes first: it speaks to the protocol
};

}  // namespace shaduf
