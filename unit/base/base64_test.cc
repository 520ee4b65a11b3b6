#include "base/base64.h"

#include <catch2/catch.hpp>

using namespace stash;

TEST_CASE("the examples of RFC 4648 are encoded and decoded", "[base][base64]") {
  const std::pair<std::string, std::string> table[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"},
                                                       {std::string("\0\xff\xfe", 3), "AP/+"}};
  for (const auto& [bytes, text] : table) {
    CHECK(encode_base64(bytes) == text);
    CHECK(decode_base64(text).value() == bytes);
  }
}

TEST_CASE("line breaks and missing padding are accepted, anything else is not", "[base][base64]") {
  CHECK(decode_base64("Zm9v\nYg").value() == "foob");
  for (const char* bad : {"Z", "Zg=", "Zg==Zg==", "Zm9-", "====", "Zm9v="}) {
    INFO(bad);
    CHECK(decode_base64(bad).has_value() == false);
  }
}
