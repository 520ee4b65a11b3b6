#include "unit/fuzz/json_mutator.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/json.h"
#include "unit/fuzz/fuzz.h"

namespace stash::fuzz {
namespace {

/// Every value of the document; a pointer stays good until its parent changes.
std::vector<Json*> values_of(Json& root) {
  std::vector<Json*> values{&root};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i]->is_structured()) continue;
    for (Json& child : *values[i]) values.push_back(&child);
  }
  return values;
}

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  bool one_in(std::size_t n) { return below(n) == 0; }

  void step(Json& root) {
    const auto values = values_of(root);
    Json& value = *values[below(values.size())];
    switch (below(6)) {
      case 0:
        value = odd_value();
        break;
      case 1:
        value = Json(*values[below(values.size())]);
        break;
      case 2:
        drop_entry(value);
        break;
      case 3:
        add_entry(value, Json(*values[below(values.size())]));
        break;
      case 4:
        mutate_bytes(value);
        break;
      default:
        rename_entry(value);
    }
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  Json odd_value() {
    static const std::vector<Json> odd = {nullptr,
                                          true,
                                          0,
                                          -1,
                                          1e300,
                                          UINT64_MAX,
                                          INT64_MIN,
                                          0.5,
                                          "",
                                          "/",
                                          "..",
                                          "/a/../b",
                                          "-rf",
                                          "true",
                                          "1h",
                                          "-1s",
                                          "9Ei",
                                          "1e9",
                                          "$(HOME)",
                                          "\n",
                                          std::string("a\0b", 3),
                                          "\xff",
                                          std::string(300, 'x'),
                                          "2026-11-23T12:00:00Z",
                                          "stash",
                                          "stash-init",
                                          Json::array(),
                                          Json::object(),
                                          Json::array({nullptr}),
                                          Json::array({Json::object()})};
    return odd[below(odd.size())];
  }

  void drop_entry(Json& value) {
    if (value.empty() || !value.is_structured()) return;
    value.erase(std::next(value.begin(), static_cast<std::ptrdiff_t>(below(value.size()))));
  }

  void add_entry(Json& value, Json entry) {
    if (value.is_array()) value.push_back(std::move(entry));
    if (value.is_object()) value[one_in(2) ? "name" : "spec"] = std::move(entry);
  }

  void rename_entry(Json& value) {
    if (value.empty() || !value.is_object()) return;
    const auto entry = std::next(value.begin(), static_cast<std::ptrdiff_t>(below(value.size())));
    Json moved = std::move(*entry);
    std::string key = entry.key();
    value.erase(entry);
    key.insert(below(key.size() + 1), 1, static_cast<char>('a' + below(26)));
    value[key] = std::move(moved);
  }

  void mutate_bytes(Json& value) {
    auto* text = value.get_ptr<std::string*>();
    if (text == nullptr) return;
    constexpr std::size_t room = 32;
    const std::size_t size = text->size();
    text->resize(size + room);
    text->resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(text->data()), size, size + room));
  }

  std::minstd_rand random_;
};

}  // namespace

std::size_t mutate_json(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  Mutator mutator(seed);
  auto root = parse_json(text_of(data, size));
  if (!root || mutator.one_in(8)) return LLVMFuzzerMutate(data, size, max_size);
  do mutator.step(*root);
  while (mutator.one_in(2));
  const std::string text = dump_json(*root);
  if (text.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::ranges::copy(text, data);
  return text.size();
}

}  // namespace stash::fuzz

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  return stash::fuzz::mutate_json(data, size, max_size, seed);
}
