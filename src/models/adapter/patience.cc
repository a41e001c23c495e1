#include "models/adapter/patience.h"

#include "base/run_context.h"

namespace shaduf::models {
namespace {

constexpr std::chrono::milliseconds kPause(200);

}  // namespace

Result<void> until_free(RunContext& run, const Patience& patience, const std::function<Result<void>()>& attempt) {
    const auto deadline = run.clock.steady_now() + patience.wait;
    for (bool is_told = false;;) {
        auto done = attempt();
        if (done.ok() || done.error().kind() != ErrorKind::conflict) return done;
        const Error conflict = done.release_error();
        const std::string seconds = std::to_string(patience.wait.count()) + " s";
        if (run.clock.steady_now() >= deadline) {
            const std::string waited = patience.wait.count() > 0 ? "; waited " + seconds : "";
            return Error(ErrorKind::conflict,
                         conflict.message() + waited + "; stop that one, or wait for it: --wait SECONDS")
                .at(conflict.place());
        }
        if (!is_told && patience.tell) patience.tell("waiting, at most " + seconds + ": " + conflict.message());
        is_told = true;
        if (!run.clock.sleep(kPause, run.cancellation)) return Error(ErrorKind::canceled, "the run was canceled");
    }
}

}  // namespace shaduf::models
