#include "sim/validation/resnet_layers.h"

#include <utility>

#include "workloads/graph/network_builder.h"

namespace npu::validation {
namespace {

class Resnet {
 public:
  Resnet() { conv(64, 7, 2); }

  void max_pool() { size_ /= 2; }

  void basic_block(std::int64_t width, int stride) {
    project(width, stride);
    conv(width, 3, stride);
    conv(width, 3, 1);
  }

  void bottleneck(std::int64_t width, int stride) {
    constexpr std::int64_t kExpansion = 4;
    project(width * kExpansion, stride);
    conv(width, 1, 1);
    conv(width, 3, stride);
    conv(width * kExpansion, 1, 1);
  }

  std::vector<ResnetLayer> finish() {
    constexpr std::int64_t kClasses = 1000;
    layers_.push_back({product_layer(1, kClasses, channels_), false});
    return std::move(layers_);
  }

 private:
  [[nodiscard]] PeerLayer layer(std::int64_t filters, int kernel, int stride) const {
    PeerLayer l;
    l.height = l.width = size_;
    l.channels = channels_;
    l.filters = filters;
    l.window = graph::square_window(kernel, stride, kernel / 2);
    return l;
  }

  void conv(std::int64_t filters, int kernel, int stride) {
    layers_.push_back({layer(filters, kernel, stride), false});
    size_ = layers_.back().layer.out_height();
    channels_ = filters;
  }

  void project(std::int64_t filters, int stride) {
    if (filters != channels_) layers_.push_back({layer(filters, 1, stride), true});
  }

  std::int64_t size_ = 224, channels_ = 3;
  std::vector<ResnetLayer> layers_;
};

}  // namespace

std::vector<ResnetLayer> resnet18_layers() {
  Resnet net;
  net.max_pool();
  for (const std::int64_t width : {64, 128, 256, 512}) {
    net.basic_block(width, width == 64 ? 1 : 2);
    net.basic_block(width, 1);
  }
  return net.finish();
}

std::vector<ResnetLayer> resnet50_layers() {
  Resnet net;
  net.max_pool();
  std::int64_t width = 64;
  for (const int blocks : {3, 4, 6, 3}) {
    for (int i = 0; i < blocks; ++i) net.bottleneck(width, i == 0 && width > 64 ? 2 : 1);
    width *= 2;
  }
  return net.finish();
}

}  // namespace npu::validation
