#include "kube/packer.h"

#include <catch2/catch.hpp>
#include <stdexcept>
#include <thread>
#include <vector>

using stash::kube::Packer;

namespace {

std::string text_number(int number) {
  std::string text = R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web-)" + std::to_string(number);
  text +=
      R"("},"spec":{"replicas":1,"template":{"spec":{"containers":[{"image":"registry.example.com/web:1.2.3"}]}}}})";
  return text;
}

}  // namespace

TEST_CASE("what is packed is unpacked as it was", "[kube][packer]") {
  Packer packer;
  const std::string large(100'000, 'x');
  for (const std::string& text : {text_number(1), std::string(), text_number(2), std::string("\0a\xff", 3), large}) {
    CHECK(packer.unpack(packer.pack(text)) == text);
  }
}

TEST_CASE("a text like the first one takes a small part of its size", "[kube][packer]") {
  Packer packer;
  packer.pack(text_number(1));
  CHECK(packer.pack(text_number(4711)).size() < text_number(4711).size() / 5);
}

TEST_CASE("a first text that is empty, or longer than a dictionary may be, serves as one too", "[kube][packer]") {
  for (const std::string& first : {std::string(), std::string(300'000, 'y')}) {
    Packer packer;
    const std::string packed = packer.pack(first);
    const std::string second = packer.pack(text_number(2));
    CHECK(packer.unpack(packed) == first);
    CHECK(packer.unpack(second) == text_number(2));
  }
}

TEST_CASE("several threads pack and unpack with one packer", "[kube][packer]") {
  Packer packer;
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 500; ++i) {
        const std::string text = text_number(1000 * thread + i);
        wrong[thread] += packer.unpack(packer.pack(text)) != text;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4));
}

TEST_CASE("what nobody packed is an error, not an object", "[kube][packer]") {
  Packer packer;
  CHECK_THROWS_AS(packer.unpack("text"), std::logic_error);
  const std::string packed = packer.pack(text_number(1));
  CHECK_THROWS_AS(packer.unpack(packed.substr(0, 3)), std::logic_error);
  CHECK_THROWS_AS(packer.unpack(packed.substr(0, packed.size() - 1)), std::logic_error);
  CHECK_THROWS_AS(Packer().unpack(packed), std::logic_error);
}
