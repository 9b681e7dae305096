"""How every widget looks, as a Qt style sheet made of a theme."""

from __future__ import annotations

from app.theme import Theme


def stylesheet(theme: Theme, chevron: str, tick: str) -> str:
    """Qt style sheet of the whole application. ``chevron`` is the path of the mark of a drop-down list, ``tick`` that
    of the one in a box."""
    t = theme
    return f"""
* {{ font-size: {t.body}pt; color: {t.text}; placeholder-text-color: {t.quiet}; }}
QMainWindow, QDialog, #page, #transcript, #transcript > QWidget {{ background: {t.ground}; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QToolTip {{ background: {t.text}; color: {t.ground}; border: none; padding: {t.tiny}px {t.small}px; }}
QMenu {{ background: {t.raised}; border: 1px solid {t.line}; padding: {t.tiny}px; }}
QMenu::item {{ padding: {t.tiny + 2}px {t.large}px; border-radius: {t.small_radius}px; }}
QMenu::item:selected {{ background: {t.hover}; }}
QMenu::item:disabled {{ color: {t.quiet}; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: {t.tiny}px {t.small}px; }}

#header {{ background: {t.sunken}; border-bottom: 1px solid {t.line}; }}
#footer {{ background: {t.ground}; }}
#name {{ font-size: {t.title}pt; font-weight: 600; }}
#display {{ font-size: {t.display}pt; font-weight: 600; }}
#quiet, #caption {{ color: {t.quiet}; }}
#cardTitle {{ font-size: {t.title}pt; font-weight: 600; }}
#rowTitle {{ font-weight: 600; }}
#figure {{ font-size: {t.display}pt; font-weight: 600; }}
#card {{ background: {t.raised}; border: 1px solid {t.line}; border-radius: {t.radius}px; }}
#line {{ background: {t.line}; border: none; }}
#statusBar {{ background: {t.sunken}; border-top: 1px solid {t.line}; }}

#navigation {{ background: {t.sunken}; border-right: 1px solid {t.line}; }}
#navigation QToolButton {{ background: transparent; border: 2px solid transparent; border-radius: {t.radius}px;
    color: {t.quiet}; font-size: {t.caption}pt; padding: {t.small - 1}px 0 {t.tiny}px 0; }}
#navigation QToolButton:hover {{ background: {t.hover}; color: {t.text}; }}
#navigation QToolButton:pressed {{ background: {t.pressed}; }}
#navigation QToolButton:checked {{ background: {t.accent_ground}; color: {t.accent}; font-weight: 600; }}
#navigation QToolButton:focus {{ border-color: {t.focus}; }}
#caption {{ font-size: {t.caption}pt; }}
#heading {{ font-weight: 600; }}

QPushButton {{ background: {t.raised}; border: 1px solid {t.strong_line}; border-radius: {t.small_radius}px;
    padding: 0 {t.medium}px; min-height: {t.control - 2}px; }}
QPushButton:hover {{ background: {t.hover}; }}
QPushButton:pressed {{ background: {t.pressed}; }}
QPushButton:focus {{ border: 2px solid {t.focus}; padding: 0 {t.medium - 1}px; min-height: {t.control - 4}px; }}
QPushButton:disabled {{ color: {t.disabled}; border-color: {t.line}; background: {t.sunken}; }}
QPushButton#primary {{ background: {t.accent}; border-color: {t.accent}; color: {t.on_accent}; }}
QPushButton#primary:hover {{ background: {t.accent_hover}; }}
QPushButton#primary:pressed {{ background: {t.accent_pressed}; }}
QPushButton#primary:focus {{ border: 2px solid {t.text}; }}
QPushButton#primary:disabled {{ background: {t.neutral_ground}; border-color: {t.line}; color: {t.disabled}; }}
QPushButton#danger {{ border-color: {t.error}; color: {t.error}; }}
QPushButton#danger:hover {{ background: {t.error_ground}; }}
QPushButton#danger:disabled {{ border-color: {t.line}; color: {t.disabled}; }}
QPushButton#suggestion {{ text-align: left; padding: 0 {t.medium + 2}px; min-height: {t.control + 8}px;
    border-color: {t.line}; border-radius: {t.radius}px; }}
QPushButton#suggestion:hover {{ background: {t.accent_ground}; border-color: {t.accent}; }}
QPushButton#suggestion:focus {{ border: 2px solid {t.focus}; padding: 0 {t.medium + 1}px;
    min-height: {t.control + 6}px; }}
QPushButton#flat {{ border: 2px solid transparent; background: transparent; padding: 0; min-height: 20px; }}
QPushButton#flat:hover {{ background: {t.hover}; }}
QPushButton#flat:pressed {{ background: {t.pressed}; }}
QPushButton#flat:focus {{ border: 2px solid {t.focus}; padding: 0; min-height: 20px; }}
QPushButton#link {{ border: none; border-bottom: 2px solid transparent; background: transparent; color: {t.accent};
    padding: 2px 0 0 0; font-size: {t.caption}pt; min-height: 20px; }}
QPushButton#link:hover {{ text-decoration: underline; }}
QPushButton#link:focus {{ border-bottom: 2px solid {t.focus}; }}

QToolButton#quietButton {{ border: 2px solid transparent; border-radius: {t.tiny}px; background: transparent;
    color: {t.quiet}; font-size: {t.caption}pt; padding: 1px {t.tiny}px; min-height: 20px; }}
QToolButton#quietButton:hover {{ background: {t.hover}; color: {t.text}; }}
QToolButton#quietButton:pressed {{ background: {t.pressed}; }}
QToolButton#quietButton:focus {{ border-color: {t.focus}; }}

QComboBox {{ background: {t.raised}; border: 1px solid {t.strong_line}; border-radius: {t.small_radius}px;
    padding: 0 {t.medium}px; min-height: {t.control - 2}px; }}
QComboBox:hover {{ background: {t.hover}; }}
QComboBox:focus {{ border: 2px solid {t.focus}; padding: 0 {t.medium - 1}px; min-height: {t.control - 4}px; }}
QComboBox:disabled {{ color: {t.quiet}; border-color: {t.line}; background: {t.sunken}; }}
QComboBox::drop-down {{ border: none; width: 26px; }}
QComboBox::down-arrow {{ image: url("{chevron}"); width: 12px; height: 12px; }}
QComboBox QAbstractItemView {{ background: {t.raised}; border: 1px solid {t.line}; padding: {t.tiny}px;
    selection-background-color: {t.accent_ground}; selection-color: {t.text}; outline: none; }}
QComboBox QAbstractItemView::item {{ min-height: {t.control - 4}px; padding: 0 {t.small}px;
    border-radius: {t.small_radius}px; }}
QComboBox QAbstractItemView::item:selected, QComboBox QAbstractItemView::item:hover {{
    background: {t.accent_ground}; color: {t.text}; }}

#chatList {{ background: {t.sunken}; border-right: 1px solid {t.line}; }}
#chatList QListWidget {{ background: transparent; border: 2px solid transparent; border-radius: {t.small_radius}px;
    outline: none; color: {t.text}; }}
#chatList QListWidget:focus {{ border-color: {t.focus}; }}
#chatList QListWidget::item {{ padding: 6px {t.small}px; border-radius: {t.small_radius}px; }}
#chatList QListWidget::item:disabled {{ color: {t.quiet}; padding-top: {t.medium}px; background: transparent; }}
#chatList QListWidget::item:hover {{ background: {t.hover}; }}
#chatList QListWidget::item:selected {{ background: {t.accent_ground}; color: {t.text}; }}
#chatList QListWidget QLineEdit {{ background: {t.raised}; border: 2px solid {t.focus}; padding: 0 {t.tiny}px;
    border-radius: {t.small_radius}px; selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
#picker {{ background: {t.raised}; border: 1px solid {t.strong_line}; border-radius: {t.radius}px; }}
#picker QListWidget {{ background: transparent; border: none; outline: none; }}
#findBar {{ background: {t.sunken}; border-bottom: 1px solid {t.line}; }}
#downloadBar {{ background: {t.accent_ground}; border-radius: {t.radius}px; }}
QProgressBar {{ background: {t.line}; border: none; border-radius: 3px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
#setupPanel {{ background: {t.sunken}; border-left: 1px solid {t.line}; }}
#setupContent, #setupHead, #setupScroll {{ background: {t.sunken}; border: none; }}
#setupPanel QPlainTextEdit, #setupPanel QLineEdit, #licenceText {{ background: {t.raised};
    border: 1px solid {t.strong_line}; border-radius: {t.small_radius}px; padding: 3px {t.small}px;
    selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
#setupPanel QPlainTextEdit:focus, #setupPanel QLineEdit:focus, #licenceText:focus {{ border: 2px solid {t.focus};
    padding: 2px {t.small - 1}px; }}
#card QLineEdit, #find {{ background: {t.raised}; border: 1px solid {t.strong_line}; border-radius: {t.small_radius}px;
    padding: 0 {t.small}px; min-height: {t.control - 2}px; selection-background-color: {t.accent};
    selection-color: {t.on_accent}; }}
#card QLineEdit:focus, #find:focus {{ border: 2px solid {t.focus}; padding: 0 {t.small - 1}px;
    min-height: {t.control - 4}px; }}
#invitation {{ background: {t.sunken}; border: 1px solid {t.line}; border-radius: {t.small_radius}px;
    padding: {t.tiny}px; font-family: monospace; font-size: {t.caption}pt; }}
#invitation:focus {{ border: 2px solid {t.focus}; padding: {t.tiny - 1}px; }}
#card QProgressBar {{ background: {t.line}; border: none; border-radius: 3px; }}
#card QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
QCheckBox::indicator {{ width: 16px; height: 16px; background: {t.raised}; border: 1px solid {t.strong_line};
    border-radius: {t.tiny}px; }}
QCheckBox::indicator:hover {{ background: {t.hover}; }}
QCheckBox::indicator:checked {{ background: {t.accent}; border-color: {t.accent}; image: url("{tick}"); }}
QCheckBox::indicator:checked:hover {{ background: {t.accent_hover}; border-color: {t.accent_hover}; }}
QCheckBox::indicator:focus {{ border: 2px solid {t.text}; width: 14px; height: 14px; }}
QCheckBox::indicator:disabled {{ background: {t.sunken}; border-color: {t.line}; }}
QCheckBox::indicator:checked:disabled {{ background: {t.disabled}; border-color: {t.disabled}; }}
QSlider {{ min-height: 22px; }}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {t.line}; }}
QSlider::sub-page:horizontal {{ height: 4px; border-radius: 2px; background: {t.accent}; }}
QSlider::handle:horizontal {{ background: {t.accent}; border: 2px solid {t.accent}; width: 12px; height: 12px;
    margin: -6px 0; border-radius: 8px; }}
QSlider::handle:horizontal:hover {{ background: {t.accent_hover}; }}
QSlider::handle:horizontal:focus {{ background: {t.raised}; border: 2px solid {t.focus}; }}
#contextMeter {{ font-size: {t.caption}pt; }}
#chart {{ background: transparent; border: none; }}
#chartValue {{ font-weight: 600; font-size: {t.caption}pt; }}
QToolButton#cardHead {{ background: transparent; border: 2px solid transparent; border-radius: {t.small_radius}px; }}
QToolButton#cardHead:hover {{ background: {t.hover}; }}
QToolButton#cardHead:focus {{ border-color: {t.focus}; }}
#cardBody {{ background: transparent; border: none; }}
QPushButton#chip {{ min-height: 24px; padding: 0 {t.small + 2}px; border: 1px solid {t.line};
    border-radius: 13px; font-size: {t.caption}pt; }}
QPushButton#chip:hover {{ background: {t.hover}; border-color: {t.strong_line}; }}
QPushButton#chip:checked {{ background: {t.accent_ground}; border-color: {t.accent}; color: {t.accent}; }}
QPushButton#chip:focus {{ border: 2px solid {t.focus}; padding: 0 {t.small + 1}px; min-height: 22px; }}
QPushButton#chip:disabled {{ color: {t.disabled}; background: {t.sunken}; }}
#rowTitle:disabled {{ color: {t.disabled}; }}
#schedule {{ background: transparent; border: none; outline: none; }}
#schedule QHeaderView, #schedule QHeaderView::section {{ background: transparent; border: none; color: {t.quiet};
    font-size: {t.caption}pt; padding: 0; }}
#schedule QHeaderView::section:hover {{ color: {t.text}; }}
#fieldProblem {{ color: {t.warning}; font-size: {t.caption}pt; }}
QToolButton#tool {{ background: transparent; border: 2px solid transparent; border-radius: {t.small_radius}px; }}
QToolButton#tool:hover {{ background: {t.hover}; }}
QToolButton#tool:pressed {{ background: {t.pressed}; }}
QToolButton#tool:checked {{ background: {t.accent_ground}; }}
QToolButton#tool:focus {{ border-color: {t.focus}; }}
#undo {{ background: {t.raised}; border: 1px solid {t.strong_line}; border-radius: {t.small_radius}px; }}

#composer {{ background: {t.raised}; border: 1px solid {t.strong_line}; border-radius: {t.radius}px; }}
#composer[focused="true"] {{ border: 2px solid {t.focus}; }}
#composer QPlainTextEdit {{ border: none; background: transparent; }}

#fileCard {{ background: {t.raised}; border: 1px solid {t.strong_line}; border-radius: {t.small_radius}px; }}
QPushButton#fileOpen {{ background: transparent; border: 2px solid transparent; border-radius: {t.small_radius}px;
    padding: 0; min-height: 36px; text-align: left; }}
QPushButton#fileOpen:hover {{ background: {t.hover}; }}
QPushButton#fileOpen:pressed {{ background: {t.pressed}; }}
QPushButton#fileOpen:focus {{ border-color: {t.focus}; padding: 0; min-height: 36px; }}
#fileText {{ background: {t.sunken}; border: 1px solid {t.line}; border-radius: {t.small_radius}px;
    selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
#fileText:focus {{ border: 2px solid {t.focus}; }}
#questionBubble {{ background: {t.question}; border-radius: {t.radius}px; }}
#document {{ border: 2px solid transparent; border-radius: {t.tiny}px; background: transparent;
    selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
#document:focus {{ border: 2px solid {t.focus}; }}
#problem {{ background: {t.error_ground}; border-radius: {t.small_radius}px; }}
#problem QLabel {{ color: {t.error}; }}
QToolButton#newest {{ background: {t.raised}; border: 1px solid {t.strong_line}; border-radius: 14px;
    padding: 3px {t.medium}px 3px {t.small}px; min-height: 20px; }}
QToolButton#newest:hover {{ background: {t.hover}; }}
QToolButton#newest:pressed {{ background: {t.pressed}; }}
QToolButton#newest:focus {{ border: 2px solid {t.focus}; padding: 2px {t.medium - 1}px 2px {t.small - 1}px; }}
QToolButton#fold {{ border: 2px solid transparent; border-radius: {t.tiny}px; background: transparent;
    color: {t.quiet}; font-size: {t.caption}pt; padding: 1px {t.tiny}px 1px 0; min-height: 20px; }}
QToolButton#fold:hover {{ background: {t.hover}; color: {t.text}; }}
QToolButton#fold:focus {{ border-color: {t.focus}; }}
#thoughts {{ border: none; border-left: 3px solid {t.line}; }}
#linkHost {{ font-size: {t.title}pt; font-weight: 600; }}
#linkAddress {{ background: {t.sunken}; border: 1px solid {t.line}; border-radius: {t.small_radius}px; }}
#linkWarning {{ background: {t.warning_ground}; color: {t.warning}; border-radius: {t.small_radius}px;
    padding: {t.small}px {t.medium}px; }}
#details {{ background: {t.sunken}; border-radius: {t.radius}px; }}
#badge {{ border-radius: {t.small_radius}px; padding: 1px {t.small}px; font-size: {t.caption}pt; font-weight: 600; }}
#badge[tone="neutral"] {{ background: {t.neutral_ground}; color: {t.neutral}; }}
#badge[tone="good"] {{ background: {t.good_ground}; color: {t.good}; }}
#badge[tone="warning"] {{ background: {t.warning_ground}; color: {t.warning}; }}
#badge[tone="error"] {{ background: {t.error_ground}; color: {t.error}; }}
#badge[tone="accent"] {{ background: {t.accent_ground}; color: {t.accent}; }}

QScrollArea {{ border: none; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; }}
QScrollBar::handle:vertical {{ background: {t.strong_line}; border-radius: 3px; min-height: 32px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""
