#include "captures/packet_ring.hpp"

#include <utility>

#include "captures/interface.hpp"
#include "captures/receive_ring.hpp"
#include "captures/send_batch.hpp"

namespace captures {

namespace {

class PacketRing final : public Port {
public:
    PacketRing(ReceiveRing ring, SendBatch batch) : ring_(std::move(ring)), batch_(std::move(batch)) {}

    [[nodiscard]] std::size_t receive(std::span<Frame> frames) override {
        const auto count = ring_.receive(frames);
        for (const auto& frame : frames.first(count)) received_bytes_ += frame.length;
        received_ += count;
        if (count == 0) works_ = ring_.look_for_error();
        return count;
    }
    bool send(const Frame& frame) override { return batch_.add(frame); }
    void flush() override { batch_.flush(); }
    [[nodiscard]] int descriptor() const noexcept override { return ring_.descriptor(); }
    [[nodiscard]] bool works() const noexcept override { return works_; }
    [[nodiscard]] Numbers numbers() override {
        const auto& out = batch_.numbers();
        return {received_, received_bytes_, out.sent, out.sent_bytes, ring_.lost(), out.not_sent};
    }

private:
    ReceiveRing ring_;
    SendBatch batch_;
    std::uint64_t received_ = 0;
    std::uint64_t received_bytes_ = 0;
    bool works_ = true;
};

}  // namespace

tl::expected<std::unique_ptr<Port>, std::string> open_packet_ring(const std::string& interface) {
    const auto found = find_usable_interface(interface);
    if (!found) return tl::unexpected(found.error());
    auto ring = ReceiveRing::open(*found);
    if (!ring) return tl::unexpected(ring.error());
    auto batch = SendBatch::open(*found);
    if (!batch) return tl::unexpected(batch.error());
    return std::make_unique<PacketRing>(*std::move(ring), *std::move(batch));
}

}  // namespace captures
