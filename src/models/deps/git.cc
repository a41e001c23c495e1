#include "models/deps/git.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "io/child_process.h"

namespace shaduf::models {
namespace {

constexpr auto kPatience = std::chrono::minutes(10);
constexpr size_t kOutputMax = 1 << 20;

struct GitRun {
    bool ok = false;
    std::string output;
    std::string errors;
};

Result<GitRun> run_git(RunContext& run, std::vector<std::string> arguments) {
    ChildCommand command;
    command.arguments = std::move(arguments);
    command.arguments.insert(command.arguments.begin(), "git");
    command.environment = {{"LC_ALL", "C"}, {"GIT_TERMINAL_PROMPT", "0"}};
    auto started = ChildProcess::start(command);
    if (!started.ok()) {
        return Error(ErrorKind::invalid_config, "cannot run git: " + started.error().message() + "; install git");
    }
    const auto child = started.release_value();
    BufferBuilder output;
    for (;;) {
        const auto outcome = TRY(child->read(run.cancellation, kPatience, 1 << 16, output));
        if (outcome == ChildProcess::Outcome::quiet) {
            return Error(ErrorKind::unavailable, "git has said nothing for 10 minutes; try again");
        }
        if (outcome == ChildProcess::Outcome::end || output.size() > kOutputMax) break;
    }
    const ChildExit exit = TRY(child->wait(run.cancellation, kPatience));
    const auto text = output.finish();
    return GitRun{exit.ok(), std::string(trim(text->view())), child->error_tail()};
}

// What git said, on one line, without the URL that may hold a token.
Error git_error(const GitCheckout& wanted, const GitRun& failed) {
    std::string said(trim(failed.errors));
    std::replace(said.begin(), said.end(), '\n', ' ');
    for (size_t at = 0; wanted.url != wanted.shown_url && (at = said.find(wanted.url, at)) != std::string::npos;) {
        said.replace(at, wanted.url.size(), wanted.shown_url);
        at += wanted.shown_url.size();
    }
    return Error(ErrorKind::invalid_config, "git cannot fetch revision " + wanted.revision + " of " + wanted.shown_url +
                                                "; check both, and that git may sign in: " + said);
}

}  // namespace

Result<std::string> check_out(RunContext& run, const GitCheckout& wanted, const std::string& folder) {
    for (const auto& [value, what] : {std::pair(&wanted.url, "repository"), std::pair(&wanted.revision, "revision")}) {
        if (!value->starts_with('-')) continue;
        return Error(ErrorKind::invalid_config, std::string("not a ") + what + " of git: " + *value + "; correct it");
    }
    const auto in_folder = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"-C", folder});
        return run_git(run, std::move(arguments));
    };
    if (auto made = TRY(run_git(run, {"init", "--quiet", folder})); !made.ok) return git_error(wanted, made);
    // One commit is enough where the server gives it by this name; of a short commit it has to be all.
    auto fetched = TRY(in_folder({"fetch", "--quiet", "--depth", "1", "--", wanted.url, wanted.revision}));
    std::string target = "FETCH_HEAD";
    if (!fetched.ok) {
        auto all =
            TRY(in_folder({"fetch", "--quiet", "--tags", "--", wanted.url, "+refs/heads/*:refs/remotes/origin/*"}));
        if (!all.ok) return git_error(wanted, all);
        const auto known =
            TRY(in_folder({"rev-parse", "--verify", "--quiet", "--end-of-options", wanted.revision + "^{commit}"}));
        if (!known.ok) return git_error(wanted, fetched);
        target = known.output;
    }
    if (auto done = TRY(in_folder({"checkout", "--quiet", "--detach", target})); !done.ok)
        return git_error(wanted, done);
    const auto commit = TRY(in_folder({"rev-parse", "HEAD"}));
    if (!commit.ok) return git_error(wanted, commit);
    return commit.output;
}

}  // namespace shaduf::models
