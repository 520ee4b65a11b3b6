#include "sidecar/repository_commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "api/codec.h"
#include "sidecar/cache_cap.h"
#include "sidecar/claim.h"
#include "sidecar/lock_owner.h"

namespace stash::sidecar {

namespace {

int complain(std::string_view sentence) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(sentence.size()), sentence.data());
  return 1;
}

void print_line(const Json& json) {
  const std::string line = dump_json(json) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

/// No retries: a person waits for the answer.
ResticResult<Restic> open_asked(Context& context, const RepositoryQuestion& asked, Restic::Access access) {
  const auto fail_with = [](std::string sentence) {
    return std::unexpected(ResticFailure{ResticCause::unknown, std::move(sentence)});
  };
  const auto object = context.api.get(api::kRepositories, {context.pod.ns, asked.repository});
  if (!object) return fail_with(object.error().message);
  const auto repository = api::decode<api::Repository>(*object);
  if (!repository) return fail_with(repository.error().message);
  const auto version = probe_restic(context.restic);
  if (!version) return std::unexpected(version.error());
  // Which cap this pod's cache has is not known here; the sidecar's own restic, which shares it, keeps to it.
  return open_restic(context, *repository, access, *version, asked.target_kind, cache_cap({}, {}),
                     [&] { return !context.stop(); });
}

/// A repository that is not there yet is told from one that cannot be reached.
ResticResult<Restic> open_existing(Context& context, const RepositoryQuestion& asked, Restic::Access access) {
  auto restic = open_asked(context, asked, access);
  if (!restic) return restic;
  const auto found = restic->has_repository();
  if (!found) return std::unexpected(found.error());
  if (*found) return restic;
  return std::unexpected(
      ResticFailure{ResticCause::no_repository,
                    fmt::format("there is no repository at {} yet; the first backup makes it", restic->location())});
}

std::string own_host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

Json lock_json(const RepositoryLock& lock, const std::string& why) {
  return {{"lock", lock.owner.lock},
          {"host", lock.owner.host},
          {"user", lock.owner.user},
          {"pid", lock.owner.pid},
          {"time", format_time(lock.time)},
          {"exclusive", lock.exclusive},
          {"why", why}};
}

}  // namespace

int list_snapshots(Context& context, const RepositoryQuestion& asked) {
  auto restic = open_existing(context, asked, Restic::Access::read);
  if (!restic) return complain(restic.error().sentence);
  const auto snapshots = restic->snapshots("", "", "");
  if (!snapshots) return complain(snapshots.error().sentence);
  Json list = Json::array();
  for (const Snapshot& snapshot : *snapshots) {
    list.push_back({{"id", snapshot.id},
                    {"short_id", snapshot.short_id},
                    {"time", snapshot.time},
                    {"hostname", snapshot.host},
                    {"paths", snapshot.paths},
                    {"tags", snapshot.tags}});
  }
  print_line(list);
  return 0;
}

int unlock(Context& context, const RepositoryQuestion& asked) {
  auto restic = open_existing(context, asked, Restic::Access::write);
  if (!restic) return complain(restic.error().sentence);
  const auto before = restic->locks();
  if (!before) return complain(before.error().sentence);
  const std::string host = own_host_name();
  const bool unique = has_unique_name(asked.target_kind) && host == context.pod.name;
  Json removed = Json::array(), left = Json::array();
  auto after = *before;
  if (!before->empty() && unique) {
    if (const auto done = restic->unlock(); !done) return complain(done.error().sentence);
    auto found = restic->locks();
    if (!found) return complain(found.error().sentence);
    after = *std::move(found);
  }
  for (const RepositoryLock& lock : *before) {
    const bool is_left =
        std::ranges::any_of(after, [&](const RepositoryLock& other) { return other.owner.lock == lock.owner.lock; });
    if (!is_left) removed.push_back(lock_json(lock, "stale"));
  }
  for (const RepositoryLock& lock : after)
    left.push_back(lock_json(lock, why_left(lock, host, unique, context.clock.now())));
  print_line({{"removed", std::move(removed)}, {"left", std::move(left)}});
  return 0;
}

int dump(Context& context, const RepositoryQuestion& asked, const std::string& snapshot, const std::string& path) {
  const auto cleaned = clean_path(path);
  if (!cleaned) return complain(cleaned.error().message);
  auto restic = open_existing(context, asked, Restic::Access::read);
  if (!restic) return complain(restic.error().sentence);
  const auto type = restic->type_at(snapshot, *cleaned);
  if (!type) return complain(type.error().sentence);
  if (*type != "dir" && *cleaned != "/") {
    return complain(type->empty() ? fmt::format("snapshot {} has nothing at {}", snapshot, *cleaned)
                                  : fmt::format("{} is a {} in snapshot {}; name the directory that it is in", *cleaned,
                                                *type, snapshot));
  }
  const auto done = restic->dump(snapshot, *cleaned, STDOUT_FILENO);
  return done ? 0 : complain(done.error().sentence);
}

}  // namespace stash::sidecar
