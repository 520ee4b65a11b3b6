// Any JSON as each of our kinds: decoding refuses it or gives an object that is written and read back as itself.
#include "api/codec.h"
#include "unit/fuzz/fuzz.h"

using namespace stash;

namespace {

template <class Kind>
void check_kind(const Json& json) {
  const auto first = api::decode<Kind>(json);
  if (!first) {
    MUST(first.error().code == ErrorCode::invalid);
    return;
  }
  const Json written = api::encode(*first);
  const auto second = api::decode<Kind>(written);
  MUST(second.has_value(), second ? "" : second.error().message + "\n" + dump_json(written));
  MUST(second->spec == first->spec, dump_json(written));
  MUST(second->status == first->status, dump_json(written));
  MUST(api::encode(*second) == written, dump_json(written) + "\n" + dump_json(api::encode(*second)));
  api::ignored_fields<Kind>(json);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto json = parse_json(fuzz::text_of(data, size));
  if (!json) return 0;
  // Whatever kind it says that it is, it is tried as each of them.
  if (json->is_object()) json->erase("kind");
  check_kind<api::Repository>(*json);
  check_kind<api::BackupConfiguration>(*json);
  check_kind<api::BackupSession>(*json);
  check_kind<api::RestoreSession>(*json);
  check_kind<api::BackupBlueprint>(*json);
  return 0;
}
