#include "api/format.h"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using stash::api::format_processing_time;
using stash::api::format_size;
using stash::api::parse_size;

TEST_CASE("a size uses a unit only above its power of 1024", "[api][format]") {
  CHECK(format_size(0) == "0 B");
  CHECK(format_size(1023) == "1023 B");
  CHECK(format_size(1024) == "1024 B");
  CHECK(format_size(1025) == "1.001 KiB");
  CHECK(format_size(1536 * 1024) == "1.500 MiB");
  CHECK(format_size(1ULL << 20) == "1024.000 KiB");
  CHECK(format_size((1ULL << 30) + (1ULL << 29)) == "1.500 GiB");
  CHECK(format_size(1ULL << 40) == "1024.000 GiB");
  CHECK(format_size(5ULL << 40) == "5.000 TiB");
  CHECK(format_size(~0ULL) == "16777216.000 TiB");
}

TEST_CASE("a size is read back to a thousandth of its unit", "[api][format]") {
  for (const std::uint64_t bytes : {0ULL, 1024ULL, 1536ULL << 10, (1ULL << 30) + (1ULL << 29), 5ULL << 40}) {
    CHECK(parse_size(format_size(bytes)) == bytes);
  }
  for (const char* wrong : {"", "5", "5 PiB", "-1 B", "1e300 B", "x B", "1 B "}) CHECK_FALSE(parse_size(wrong));
}

TEST_CASE("a processing time shows hours only when there are some", "[api][format]") {
  CHECK(format_processing_time(0s) == "0:00");
  CHECK(format_processing_time(9s) == "0:09");
  CHECK(format_processing_time(61s) == "1:01");
  CHECK(format_processing_time(3599s) == "59:59");
  CHECK(format_processing_time(3600s) == "1:00:00");
  CHECK(format_processing_time(100h + 5s) == "100:00:05");
  CHECK(format_processing_time(-5s) == "0:00");
}
