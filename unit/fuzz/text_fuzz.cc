// Any text where a field of ours, or of a pod, holds a duration, a time, a quantity, a schedule or base64.
#include <fmt/format.h>

#include <cmath>

#include "api/quantity.h"
#include "api/schedule.h"
#include "api/time_out.h"
#include "base/base64.h"
#include "base/time.h"
#include "unit/fuzz/fuzz.h"

using namespace stash;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::text_of(data, size));

  if (const auto duration = parse_duration(text)) {
    MUST(parse_duration(format_duration(*duration)) == *duration, format_duration(*duration));
  }
  if (const auto time = parse_time(text)) {
    const auto second = std::chrono::floor<std::chrono::seconds>(*time);
    const auto micro = std::chrono::floor<std::chrono::microseconds>(*time);
    MUST(parse_time(format_time(*time)) == TimePoint(second), format_time(*time));
    MUST(parse_time(format_micro_time(*time)) == TimePoint(micro), format_micro_time(*time));
  }
  if (const auto quantity = api::parse_quantity(text)) MUST(std::isfinite(*quantity), text);
  MUST(api::same_quantity(text, text));
  if (const auto limit = api::time_out(text)) MUST(limit->count() >= 1, text);
  if (const auto schedule = api::parse_schedule(text)) {
    const TimePoint now{std::chrono::seconds(1'800'000'000)};
    const auto slot = api::next_slot(*schedule, now);
    MUST(!slot || *slot > now, text);
    MUST(api::slots_between(*schedule, now, now + std::chrono::hours(24), 3) <= 3, text);
  }
  if (const auto bytes = decode_base64(text)) MUST(decode_base64(encode_base64(*bytes)) == *bytes);
  MUST(decode_base64(encode_base64(text)) == text);
  return 0;
}
