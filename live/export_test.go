package live

import "fmt"

// Held is how many wait.
func (h *Hub) Held() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, held := range h.callers {
		n += held
	}
	return n
}

// Left is what a hub holds in which nobody should wait, "" for nothing. The queue empties itself.
func (h *Hub) Left() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.byKey)+len(h.index)+len(h.callers) == 0 {
		return ""
	}
	return fmt.Sprintf("%d groups, index %v, callers %v", len(h.byKey), h.index, h.callers)
}
