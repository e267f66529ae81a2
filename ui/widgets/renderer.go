package widgets

import "fyne.io/fyne/v2"

// Renderer is the fyne.WidgetRenderer of a widget that places and paints its objects
// itself.
type Renderer struct {
	Min     fyne.Size
	Parts   []fyne.CanvasObject
	Place   func(fyne.Size)
	Repaint func()
}

// Destroy implements fyne.WidgetRenderer.
func (r *Renderer) Destroy() {}

// Objects implements fyne.WidgetRenderer.
func (r *Renderer) Objects() []fyne.CanvasObject { return r.Parts }

// MinSize implements fyne.WidgetRenderer.
func (r *Renderer) MinSize() fyne.Size { return r.Min }

// Layout implements fyne.WidgetRenderer.
func (r *Renderer) Layout(s fyne.Size) { r.Place(s) }

// Refresh implements fyne.WidgetRenderer.
func (r *Renderer) Refresh() { r.Repaint() }
