#include "captures/port/packet_ring.hpp"

#include <cerrno>
#include <utility>

#include "captures/port/interface.hpp"
#include "captures/port/lanes.hpp"
#include "captures/port/link_watch.hpp"
#include "captures/port/receive_ring.hpp"
#include "captures/port/send_batch.hpp"

namespace captures::port {

namespace {

class PacketRing final : public Port {
public:
    PacketRing(ReceiveRing connections, ReceiveRing others, SendBatch batch, LinkWatch watch)
        : lanes_(std::move(connections), std::move(others)), batch_(std::move(batch)), watch_(std::move(watch)) {}

    [[nodiscard]] std::size_t receive(std::span<packet::Frame> frames) override;
    bool send(const packet::Frame& frame) override { return batch_.add(frame); }
    void flush() override { batch_.flush(); }
    [[nodiscard]] int descriptor() const noexcept override { return watch_.descriptor(); }
    [[nodiscard]] bool works() const noexcept override { return works_; }
    [[nodiscard]] Numbers numbers() override;

private:
    Lanes<ReceiveRing> lanes_;
    SendBatch batch_;
    LinkWatch watch_;
    std::uint64_t received_ = 0;
    std::uint64_t received_bytes_ = 0;
    bool works_ = true;
};

std::size_t PacketRing::receive(std::span<packet::Frame> frames) {
    const auto count = lanes_.receive(frames);
    for (const auto& frame : frames.first(count)) received_bytes_ += frame.length;
    received_ += count;
    if (count == 0) {
        works_ = works_ && lanes_.connections().works() && lanes_.others().works() && watch_.link_is_up();
    }
    return count;
}

Port::Numbers PacketRing::numbers() {
    const auto& out = batch_.numbers();
    return {
        received_,   received_bytes_, out.sent, out.sent_bytes, lanes_.connections().lost() + lanes_.others().lost(),
        out.not_sent};
}

}  // namespace

tl::expected<std::unique_ptr<Port>, std::string> open_packet_ring(const std::string& interface) {
    const auto found = find_usable_interface(interface);
    if (!found) return tl::unexpected(found.error());
    auto watch = LinkWatch::start(*found);
    if (!watch) return tl::unexpected(watch.error());
    auto connections = ReceiveRing::open(*found, Share::connections);
    if (!connections) return tl::unexpected(connections.error());
    auto others = ReceiveRing::open(*found, Share::others);
    if (!others) return tl::unexpected(others.error());
    if (!watch->add(connections->descriptor()) || !watch->add(others->descriptor())) {
        return tl::unexpected(interface_error(interface, "no packet ring", errno));
    }
    auto batch = SendBatch::open(*found);
    if (!batch) return tl::unexpected(batch.error());
    return std::make_unique<PacketRing>(*std::move(connections), *std::move(others), *std::move(batch),
                                        *std::move(watch));
}

}  // namespace captures::port
