#include "kube/exec_outcome.h"

#include <catch2/catch.hpp>

using namespace stash;
using kube::LastWords;

namespace {

std::string line_of(std::string_view said) {
  LastWords words;
  words.append(said);
  return words.line();
}

}  // namespace

TEST_CASE("the exit code of a program is in the causes of the Status", "[kube][exec]") {
  CHECK(kube::decode_exec_status(R"({"status":"Success"})", "exec") == 0);
  CHECK(kube::decode_exec_status(R"({"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"137"}]}})",
                                 "exec") == 137);
}

TEST_CASE("a Status without exit code, and what is none, is an error", "[kube][exec]") {
  CHECK(kube::decode_exec_status(R"({"status":"Failure","message":"no such\ncontainer"})", "exec").error() ==
        Error{ErrorCode::invalid, "exec: no such container"});
  CHECK(kube::decode_exec_status(R"({"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"x"}]}})",
                                 "exec")
            .error()
            .message == "exec: the server does not say why it failed");
  // Else a hook that failed could come out as one that succeeded.
  CHECK(kube::decode_exec_status(R"({"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"0"}]}})",
                                 "exec")
            .error()
            .message == "exec: the server does not say why it failed");
  CHECK(kube::decode_exec_status(R"({"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"-5"}]}})",
                                 "exec")
            .error()
            .message == "exec: the server does not say why it failed");
  CHECK(kube::decode_exec_status("oops", "exec").error().code == ErrorCode::invalid);
}

TEST_CASE("what a program said becomes one harmless line", "[kube][exec]") {
  CHECK(line_of("  no\tspace \r\n left\n") == "no space left");
  CHECK(line_of("a\x1b[31mred\x07") == "a [31mred");
  CHECK(line_of(std::string_view("nul\0byte", 8)) == "nul byte");
  CHECK(line_of("gr\xc3\xbc\xc3\x9f \xe2\x9c\x93") == "gr\xc3\xbc\xc3\x9f \xe2\x9c\x93");
  CHECK(line_of("not \xff utf-8 \xc3") == "not ? utf-8 ?");
  CHECK(line_of("c1 \xc2\x9b here") == "c1 here");
  CHECK(line_of("turn \xe2\x80\xae around") == "turn around");
  CHECK(line_of("").empty());
}

TEST_CASE("of a long output the end is kept, in characters that are whole", "[kube][exec]") {
  LastWords words;
  for (int i = 0; i < 1000; ++i) words.append("\xc3\xbc\xc3\xbc.");
  words.append("the end\n");
  const std::string line = words.line();
  CHECK(line.size() <= LastWords::kMost + 3);
  CHECK(line.starts_with("..."));
  CHECK(line.ends_with("\xc3\xbc.the end"));
  CHECK(line.find('?') == std::string::npos);
  LastWords at_once;
  at_once.append(std::string(5'000, 'x') + "end");
  CHECK(at_once.line().size() == LastWords::kMost + 3);
}
