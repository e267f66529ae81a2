//go:build cgo && linux

package window

/*
#cgo pkg-config: wayland-client
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wayland-client.h>

// The part of xdg_activation_v1 that is used here (wayland-protocols,
// staging/xdg-activation/xdg-activation-v1.xml). GLFW (3.4) has the protocol, but no
// function for a token of another program.
static const struct wl_interface token_interface = {"xdg_activation_token_v1", 1, 0, NULL, 0, NULL};
static const struct wl_interface *types[] = {&token_interface, NULL, &wl_surface_interface};
static const struct wl_message requests[] = {
	{"destroy", "", types},
	{"get_activation_token", "n", types},
	{"activate", "so", types + 1},
};
static const struct wl_interface activation_interface = {"xdg_activation_v1", 1, 3, requests, 0, NULL};
enum { DESTROY = 0, ACTIVATE = 2 };

static void found(void *name, struct wl_registry *registry, uint32_t id, const char *interface, uint32_t version) {
	if (strcmp(interface, activation_interface.name) == 0)
		*(uint32_t *)name = id;
}

static void removed(void *name, struct wl_registry *registry, uint32_t id) {}

static const struct wl_registry_listener listener = {found, removed};

// porthole_activate activates surface with token. It uses an event queue of its own, so
// that it handles no events of the toolkit. It returns 0 if the compositor lacks the protocol.
static int porthole_activate(void *display, void *surface, const char *token) {
	uint32_t name = 0;
	struct wl_event_queue *queue = wl_display_create_queue(display);
	if (!queue)
		return 0;
	struct wl_display *wrapper = wl_proxy_create_wrapper(display);
	if (!wrapper) {
		wl_event_queue_destroy(queue);
		return 0;
	}
	wl_proxy_set_queue((struct wl_proxy *)wrapper, queue);
	struct wl_registry *registry = wl_display_get_registry(wrapper);
	wl_proxy_wrapper_destroy(wrapper);
	if (registry) {
		wl_registry_add_listener(registry, &listener, &name);
		wl_display_roundtrip_queue(display, queue);
		struct wl_proxy *activation = name ? wl_registry_bind(registry, name, &activation_interface, 1) : NULL;
		if (activation) {
			wl_proxy_marshal(activation, ACTIVATE, token, surface);
			wl_proxy_marshal(activation, DESTROY);
			wl_proxy_destroy(activation);
			wl_display_flush(display);
		} else {
			name = 0;
		}
		wl_registry_destroy(registry);
	}
	wl_event_queue_destroy(queue);
	return name != 0;
}
*/
import "C"

import (
	"unsafe"

	"github.com/go-gl/glfw/v3.4/glfw"
)

// activateSurface raises a surface with an activation token of the desktop (protocol
// xdg-activation). It reports whether the compositor has that protocol; whether it accepts
// the token is unknown. It must be called on Fyne's goroutine.
func activateSurface(surface uintptr, token string) bool {
	display := unsafe.Pointer(glfw.GetWaylandDisplay())
	if display == nil {
		return false
	}
	text := C.CString(token)
	defer C.free(unsafe.Pointer(text))
	return C.porthole_activate(display, *(*unsafe.Pointer)(unsafe.Pointer(&surface)), text) != 0
}
