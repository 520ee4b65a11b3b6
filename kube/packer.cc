#include "kube/packer.h"

#include <zlib.h>

#include <cstring>
#include <mutex>
#include <stdexcept>

namespace stash::kube {
namespace {

constexpr int kRawDeflate = -MAX_WBITS;  // without header and checksum, which would be a tenth of what is kept
constexpr int kMemoryLevel = 6;          // 160 KiB while anything is packed
constexpr std::size_t kLongestDictionary = 32u << 10;

void check(int result, int wanted, const char* what) {
  if (result != wanted) throw std::logic_error(std::string("zlib: ") + what + " failed: " + std::to_string(result));
}

Bytef* bytes(std::string& text) { return reinterpret_cast<Bytef*>(text.data()); }
// zlib 1.2 does not say that it leaves its input alone.
Bytef* bytes(std::string_view text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }

}  // namespace

/// Both streams are kept, for making one costs more than a text.
struct Packer::Impl {
  std::mutex mutex;
  std::string dictionary;
  z_stream deflating{}, inflating{};
  bool is_open = false;

  void open(std::string_view first) {
    dictionary = first.substr(0, kLongestDictionary);
    check(deflateInit2(&deflating, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRawDeflate, kMemoryLevel, Z_DEFAULT_STRATEGY),
          Z_OK, "deflateInit2");
    check(inflateInit2(&inflating, kRawDeflate), Z_OK, "inflateInit2");
    is_open = true;
  }

  ~Impl() {
    if (!is_open) return;
    deflateEnd(&deflating);
    inflateEnd(&inflating);
  }
};

Packer::Packer() : impl_(std::make_unique<Impl>()) {}
Packer::~Packer() = default;

std::string Packer::pack(std::string_view text) {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->is_open) impl_->open(text);
  z_stream& stream = impl_->deflating;
  check(deflateReset(&stream), Z_OK, "deflateReset");
  check(deflateSetDictionary(&stream, bytes(impl_->dictionary), static_cast<uInt>(impl_->dictionary.size())), Z_OK,
        "deflateSetDictionary");
  // The length comes first, so that unpacking asks for memory once.
  const auto length = static_cast<std::uint32_t>(text.size());
  std::string packed(sizeof length + deflateBound(&stream, text.size()), '\0');
  std::memcpy(packed.data(), &length, sizeof length);
  stream.next_in = bytes(text);
  stream.avail_in = length;
  stream.next_out = bytes(packed) + sizeof length;
  stream.avail_out = static_cast<uInt>(packed.size() - sizeof length);
  check(deflate(&stream, Z_FINISH), Z_STREAM_END, "deflate");
  return packed.substr(0, packed.size() - stream.avail_out);
}

std::string Packer::unpack(std::string_view packed) const {
  const std::lock_guard lock(impl_->mutex);
  std::uint32_t length = 0;
  if (!impl_->is_open || packed.size() < sizeof length) throw std::logic_error("unpack: nothing was packed so");
  std::memcpy(&length, packed.data(), sizeof length);
  packed.remove_prefix(sizeof length);
  z_stream& stream = impl_->inflating;
  check(inflateReset(&stream), Z_OK, "inflateReset");
  check(inflateSetDictionary(&stream, bytes(impl_->dictionary), static_cast<uInt>(impl_->dictionary.size())), Z_OK,
        "inflateSetDictionary");
  std::string text(length, '\0');
  stream.next_in = bytes(packed);
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = bytes(text);
  stream.avail_out = length;
  check(inflate(&stream, Z_FINISH), Z_STREAM_END, "inflate");
  return text;
}

}  // namespace stash::kube
