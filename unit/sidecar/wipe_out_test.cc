#include "sidecar/wipe_out.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "unit/support/fake_restic.h"
#include "unit/support/objects.h"

namespace stash::sidecar {
namespace {

using test::FakeRestic;
using Names = std::vector<std::string>;

constexpr const char* kTwo =
    R"([{"id":"aaaa1111","short_id":"aaaa","time":"2023-11-14T22:13:20Z","hostname":"host-0","paths":["/d"]},)"
    R"({"id":"bbbb2222","short_id":"bbbb","time":"2023-11-14T22:13:21Z","hostname":"host-1","paths":["/d"]}])";

struct Job {
  FakeRestic restic;
  test::TemporaryDirectory directory;
  bool stop = false;

  Job() {
    restic.write_secret("RESTIC_PASSWORD", "secret-word");
    restic.write_secret("AWS_ACCESS_KEY_ID", "id");
    restic.write_secret("AWS_SECRET_ACCESS_KEY", "key");
  }
  int run(const std::string& repository) {
    return wipe_out(restic.place(), repository, directory / "report", [this] { return !stop; });
  }
  int run() {
    return run(dump_json(test::a_repository()
                             .with([](api::Repository& repository) {
                               repository.spec.backend.local.reset();
                               repository.spec.backend.s3 = api::S3Backend{"http://s3:9000", "bucket", "x", ""};
                             })
                             .json()));
  }
  std::string report() const {
    std::ostringstream text;
    text << std::ifstream(directory / "report").rdbuf();
    return text.str();
  }
};

}  // namespace

TEST_CASE("a wipe-out removes every snapshot by its id, and then the data", "[sidecar][wipe_out]") {
  Job job;
  job.restic.on("cat", {})
      .on("snapshots", {0, kTwo, "", ""})
      .on("forget", {})
      .on("prune", {})
      .on("snapshots", {0, "[]", "", ""});
  CHECK(job.run() == 0);
  CHECK(job.report().starts_with("2 snapshots and all their data were removed from s3:http://s3:9000/bucket/x"));
  CHECK(job.restic.subcommands() == Names{"cat", "snapshots", "forget", "prune", "snapshots"});
  const Names arguments = job.restic.calls()[2].arguments;
  CHECK(Names(arguments.end() - 3, arguments.end()) == Names{"--", "aaaa1111", "bbbb2222"});
}

TEST_CASE("an earlier attempt that ended before the data was removed is completed", "[sidecar][wipe_out][F82][I11]") {
  Job job;
  job.restic.on("cat", {}).on("snapshots", {0, "[]", "", ""}).on("prune", {}).on("snapshots", {0, "[]", "", ""});
  CHECK(job.run() == 0);
  CHECK(job.restic.subcommands() == Names{"cat", "snapshots", "prune", "snapshots"});
}

TEST_CASE("a repository that was never made needs no wiping", "[sidecar][wipe_out]") {
  Job job;
  job.restic.on("cat", {1, "", test::kNoRepository, ""});
  CHECK(job.run() == 0);
  CHECK(job.report() == "there is no repository at s3:http://s3:9000/bucket/x, so there was nothing to remove");
}

TEST_CASE("a wrong password removes nothing and is reported without it", "[sidecar][wipe_out][F82][I11][I15]") {
  Job job;
  job.restic.on("cat", {1, "", test::kWrongPassword, ""});
  CHECK(job.run() == 1);
  CHECK(job.report().find("password") != std::string::npos);
  CHECK(job.report().find("secret-word") == std::string::npos);
  CHECK(job.restic.subcommands() == Names{"cat"});
}

TEST_CASE("a restic that was killed for lack of memory names the limit of the Job, not that of a workload",
          "[sidecar][wipe_out][F6][I8]") {
  Job job;
  job.restic.on("cat", {}).on("snapshots", {0, kTwo, "", ""}).on("forget", {}).on("prune", {137, "", "", ""});
  CHECK(job.run() == 1);
  CHECK(job.report() ==
        "the Job was killed, most likely for lack of memory: raise wipeOut.resources.limits.memory in the values of "
        "Stash's chart");
}

TEST_CASE("while a backup holds its lock nothing is removed", "[sidecar][wipe_out][F38][I11][I12]") {
  Job job;
  job.restic.on("cat", {}).on("snapshots", {0, kTwo, "", ""});
  for (int i = 0; i < 50; ++i) job.restic.on("forget", {1, "", test::kLocked, ""}).on("unlock", {});
  CHECK(job.run() == 1);
  CHECK(job.report().find("locked") != std::string::npos);
  const Names done = job.restic.subcommands();
  CHECK(std::count(done.begin(), done.end(), "prune") == 0);
}

TEST_CASE("snapshots that come meanwhile are not passed over in silence", "[sidecar][wipe_out]") {
  Job job;
  job.restic.on("cat", {})
      .on("snapshots", {0, kTwo, "", ""})
      .on("forget", {})
      .on("prune", {})
      .on("snapshots", {0, kTwo, "", ""});
  CHECK(job.run() == 1);
  CHECK(job.report().find("2 snapshots were added while the others were removed") != std::string::npos);
}

TEST_CASE("the data of a local volume is never removed, nor anything for an object that cannot be read",
          "[sidecar][wipe_out]") {
  Job job;
  CHECK(job.run(dump_json(test::a_repository().json())) == 1);
  CHECK(job.report() == "the data of a local backend is not removed");
  CHECK(job.run("") == 1);
  CHECK(job.run("{\"spec\": 5}") == 1);
  CHECK(job.restic.subcommands().empty());
}

}  // namespace stash::sidecar
