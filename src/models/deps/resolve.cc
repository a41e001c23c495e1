#include "models/deps/resolve.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"

namespace shaduf::models {
namespace {

using Kind = PackageSpec::Kind;

constexpr int kRoundsMax = 200;

struct Asker {
    std::string who;   // a project's name, or the root's file
    std::string what;  // ">=1.0.0, <2.0.0"; a revision
};

// One package with all that is asked of it.
struct Wanted {
    PackageSpec spec;
    std::vector<VersionBound> bounds;
    std::vector<std::string> revisions;
    std::vector<Asker> askers;
};

std::string askers_of(const Wanted& wanted) {
    std::vector<std::string> parts;
    for (const Asker& asker : wanted.askers)
        parts.push_back(asker.who + (asker.what.empty() ? "" : " (" + asker.what + ")"));
    return join(parts, ", ");
}

// A repository is the same with and without ".git".
std::string key_of(const PackageSpec& spec) {
    if (spec.kind != Kind::git && spec.kind != Kind::private_git) return spec.location;
    const std::string_view location = spec.location;
    const auto plain = location.ends_with(".git") ? location.substr(0, location.size() - 4) : location;
    return std::string(plain) + (spec.subdirectory ? "/" + *spec.subdirectory : "");
}

bool accepts_dbt(const HubVersion& version) {
    std::vector<VersionBound> bounds{VersionBound::parse(kDbtVersion).value()};
    for (const auto& text : version.require_dbt_version) {
        auto bound = VersionBound::parse(text);
        if (!bound.ok()) return false;
        bounds.push_back(bound.release_value());
    }
    return bounds.size() == 1 || VersionRange::all_of(bounds).ok();
}

std::vector<std::string> compatible_versions(const std::vector<HubVersion>& versions, VersionCheck check) {
    std::vector<std::string> compatible;
    for (const HubVersion& version : versions) {
        if (check == VersionCheck::off || accepts_dbt(version)) compatible.push_back(version.version);
    }
    return compatible;
}

class Resolver {
public:
    Resolver(PackageFetcher& fetcher, VersionCheck check, Findings& findings)
        : fetcher_(fetcher), check_(check), findings_(findings) {}

    Result<void> run(const PackageList& list) {
        std::vector<std::string> pending = TRY(ask(list.packages, list.file_name));
        for (int round = 0; !pending.empty(); ++round) {
            if (round == kRoundsMax)
                return Error(ErrorKind::invalid_config, "packages ask for each other without an end");
            std::vector<std::string> next;
            for (const std::string& key : pending) {
                PinnedPackage pinned = TRY(pin(wanted_.at(key)));
                const PackageMetadata metadata = TRY(fetcher_.metadata(pinned));
                pinned.name = metadata.name;
                settled_[key] = pinned;
                for (auto& more : TRY(ask(metadata.packages, metadata.name))) next.push_back(std::move(more));
            }
            pending = std::move(next);
        }
        return {};
    }

    Result<std::vector<PinnedPackage>> finish(const std::string& project_name) {
        std::vector<PinnedPackage> all;
        std::map<std::string, const Wanted*> names;
        for (const std::string& key : order_) {
            // The last that was asked may have changed what an earlier round settled on.
            PinnedPackage& pinned = settled_.at(key);
            const Wanted& wanted = wanted_.at(key);
            if (pinned.name == project_name) {
                return refuse(wanted, "a package has the name of the project itself: " + project_name + ", from " +
                                          wanted.spec.unrendered_location + "; take it out");
            }
            const auto [known, is_new] = names.emplace(pinned.name, &wanted);
            if (!is_new) {
                return refuse(wanted, "two packages have the name " + pinned.name + ": " +
                                          known->second->spec.unrendered_location + ", asked for by " +
                                          askers_of(*known->second) + ", and " + wanted.spec.unrendered_location +
                                          ", asked for by " + askers_of(wanted) + "; keep one");
            }
            all.push_back(pinned);
        }
        return all;
    }

private:
    static Error refuse(const Wanted& wanted, std::string message) {
        return Error(ErrorKind::invalid_config, std::move(message))
            .at(Place::in_file(wanted.spec.file, static_cast<int>(wanted.spec.line)));
    }

    // The packages of whom something new was asked.
    Result<std::vector<std::string>> ask(const std::vector<PackageSpec>& specs, const std::string& who) {
        std::vector<std::string> changed;
        for (const PackageSpec& spec : specs) {
            const std::string key = key_of(spec);
            const auto [known, is_new] = wanted_.try_emplace(key, Wanted{spec, {}, {}, {}});
            Wanted& wanted = known->second;
            if (is_new) order_.push_back(key);
            if (wanted.spec.kind != spec.kind) {
                return refuse(wanted, "package " + spec.unrendered_location + " is asked for as " +
                                          std::string(to_string(wanted.spec.kind)) + " by " + askers_of(wanted) +
                                          " and as " + std::string(to_string(spec.kind)) + " by " + who +
                                          "; take one of them out");
            }
            if ((TRY(add(wanted, spec, who)) || is_new) &&
                std::find(changed.begin(), changed.end(), key) == changed.end()) {
                changed.push_back(key);
            }
        }
        return changed;
    }

    static Result<bool> add(Wanted& wanted, const PackageSpec& spec, const std::string& who) {
        bool changed = false;
        for (const auto& text : spec.versions) {
            auto bound = TRY(VersionBound::parse(text));
            const bool known = std::any_of(wanted.bounds.begin(), wanted.bounds.end(),
                                           [&](const auto& other) { return other.to_string() == bound.to_string(); });
            if (!known) wanted.bounds.push_back(std::move(bound));
            changed = changed || !known;
        }
        if (spec.revision &&
            std::find(wanted.revisions.begin(), wanted.revisions.end(), *spec.revision) == wanted.revisions.end()) {
            wanted.revisions.push_back(*spec.revision);
            changed = true;
        }
        wanted.spec.warn_unpinned = wanted.spec.warn_unpinned && spec.warn_unpinned;
        wanted.askers.push_back({who, spec.revision ? *spec.revision : join(spec.versions, ", ")});
        return changed;
    }

    Result<PinnedPackage> pin(const Wanted& wanted) {
        PinnedPackage pinned;
        pinned.kind = wanted.spec.kind;
        pinned.location = wanted.spec.location;
        pinned.shown_location = wanted.spec.unrendered_location;
        pinned.subdirectory = wanted.spec.subdirectory.value_or("");
        if (pinned.kind == Kind::tarball) pinned.name = wanted.spec.name.value_or("");
        if (pinned.kind == Kind::hub) TRY(pin_hub(wanted, pinned));
        if (pinned.kind == Kind::git) TRY(pin_git(wanted, pinned));
        return pinned;
    }

    Result<void> pin_git(const Wanted& wanted, PinnedPackage& pinned) {
        if (wanted.revisions.size() > 1) {
            return refuse(wanted, "package " + wanted.spec.unrendered_location +
                                      " is asked for at several revisions by " + askers_of(wanted) + "; agree on one");
        }
        pinned.version = wanted.revisions.empty() ? "HEAD" : wanted.revisions[0];
        const bool moves = pinned.version == "HEAD" || pinned.version == "main" || pinned.version == "master";
        if (moves && wanted.spec.warn_unpinned && warned_.insert(wanted.spec.location).second) {
            findings_.warnings.push_back(
                refuse(wanted, "package " + wanted.spec.unrendered_location + " is at " + pinned.version +
                                   ", which moves; pin it with `revision:`, a tag or a commit"));
        }
        return {};
    }

    Result<void> pin_hub(const Wanted& wanted, PinnedPackage& pinned) {
        const auto range = VersionRange::all_of(wanted.bounds);
        if (!range.ok()) {
            return refuse(wanted, "package " + pinned.location + ": " + range.error().message() + "; asked for by " +
                                      askers_of(wanted));
        }
        const auto* versions = TRY(fetcher_.hub().versions(fetcher_.run(), pinned.location));
        const auto compatible = compatible_versions(*versions, check_);
        const bool prereleases = wanted.spec.install_prerelease ||
                                 std::any_of(wanted.bounds.begin(), wanted.bounds.end(),
                                             [](const VersionBound& bound) { return !bound.prerelease.empty(); });
        const auto installable =
            installable_versions(compatible, prereleases ? Prereleases::wanted : Prereleases::left_out);
        pinned.version = highest_in(range.value(), installable);
        if (!pinned.version.empty()) {
            pinned.latest = installable.back();
            return {};
        }
        const size_t shown = std::min<size_t>(installable.size(), 5);
        const std::vector<std::string> newest(installable.end() - static_cast<ptrdiff_t>(shown), installable.end());
        return refuse(wanted, "no version of " + pinned.location + " is " + range.value().to_string() +
                                  (check_ == VersionCheck::on ? " and runs with dbt " + std::string(kDbtVersion) : "") +
                                  (newest.empty() ? "; there is none" : "; the newest are: " + join(newest, ", ")) +
                                  "; asked for by " + askers_of(wanted));
    }

    PackageFetcher& fetcher_;
    const VersionCheck check_;
    Findings& findings_;
    std::map<std::string, Wanted> wanted_;
    std::map<std::string, PinnedPackage> settled_;
    std::vector<std::string> order_;
    std::set<std::string> warned_;
};

}  // namespace

Result<std::vector<PinnedPackage>> resolve_packages(PackageFetcher& fetcher, const std::string& project_name,
                                                    const PackageList& wanted, VersionCheck check, Findings& findings) {
    Resolver resolver(fetcher, check, findings);
    TRY(resolver.run(wanted));
    return resolver.finish(project_name);
}

std::string latest_version(const std::vector<HubVersion>& versions, VersionCheck check) {
    const auto installable = installable_versions(compatible_versions(versions, check), Prereleases::left_out);
    return installable.empty() ? "" : installable.back();
}

Result<PinnedPackage> pinned_of_lock(const PackageSpec& spec) {
    PinnedPackage pinned;
    pinned.kind = spec.kind;
    pinned.location = spec.location;
    pinned.shown_location = spec.unrendered_location;
    pinned.subdirectory = spec.subdirectory.value_or("");
    pinned.name = spec.name.value_or("");
    const auto refuse = [&](const std::string& message) {
        return Error(ErrorKind::invalid_config, message + "; run `shaduf dbt deps --upgrade`")
            .at(Place::in_file(spec.file, static_cast<int>(spec.line)));
    };
    if (spec.kind == Kind::hub) {
        const auto bound = VersionBound::parse(spec.versions.empty() ? "" : spec.versions[0]);
        if (spec.versions.size() != 1 || !bound.ok() || !bound.value().is_exact()) {
            return refuse("the lock has no single version of " + spec.location);
        }
        pinned.version = spec.versions[0];
    }
    if (spec.kind == Kind::git) {
        if (!spec.revision) return refuse("the lock has no revision of " + spec.unrendered_location);
        pinned.version = *spec.revision;
    }
    return pinned;
}

}  // namespace shaduf::models
