Attribute VB_Name = "DemandRibbon"
Option Explicit

' What the buttons of the tab "Demand model" do. Names are long, so that no other add-in has them.

Private Const FILTER_LISTS As String = _
    "Annex A files (*.xlsx;*.xlsm;*.xls;*.csv),*.xlsx;*.xlsm;*.xls;*.csv"
Private Const FILTER_BOOK As String = "Excel workbook (*.xlsx),*.xlsx"
Private Const NAME_COMPARISON As String = "dash_compare_note"
Private Const SHEET_START As String = "Start"

Private ribbonOfExcel As Object

' -- What Excel asks

Public Sub CscDemandLoaded(ribbon As Object)
    Set ribbonOfExcel = ribbon
    ThisWorkbook.WatchExcel
End Sub

Public Sub CscDemandEnabled(control As Object, ByRef enabled As Variant)
    enabled = ButtonsAreEnabled(Application.ActiveWorkbook)
End Sub

' Ask again which buttons are enabled: another workbook came to the front.
Public Sub CscDemandRefresh()
    On Error Resume Next
    If Not ribbonOfExcel Is Nothing Then ribbonOfExcel.Invalidate
End Sub

' -- Buttons that Python answers

Public Sub CscDemandCheck(control As Object)
    StartOnBook "check"
End Sub

Public Sub CscDemandRun(control As Object)
    StartOnBook "run"
End Sub

Public Sub CscDemandAccuracy(control As Object)
    StartOnBook "backtest"
End Sub

Public Sub CscDemandLevers(control As Object)
    StartOnBook "levers"
End Sub

Public Sub CscDemandKeep(control As Object)
    StartOnBook "keep"
End Sub

Public Sub CscDemandUndo(control As Object)
    StartOnBook "undo"
End Sub

Public Sub CscDemandNew(control As Object)
    Dim chosen As Variant
    chosen = Application.GetSaveAsFilename("demand-model.xlsx", FILTER_BOOK, 1, _
        "Where should the new workbook stand?")
    If VarType(chosen) = vbBoolean Then Exit Sub
    If IsWebAddress(CStr(chosen)) Then
        Say "A new workbook is made in a folder of this computer or of a network drive; " & _
            "it can be moved to SharePoint afterwards.", vbInformation
        Exit Sub
    End If
    StartPython "new", CStr(chosen), ""
End Sub

Public Sub CscDemandImport(control As Object)
    Dim book As Object
    Dim chosen As Variant
    Dim files As String
    Set book = Application.ActiveWorkbook
    If Not IsDemandBook(book) Then Exit Sub
    chosen = Application.GetOpenFilename(FILTER_LISTS, 1, _
        "Choose the files that hold Annex A Lists 3, 7 and 8", , True)
    If Not IsArray(chosen) Then Exit Sub
    files = JoinedFiles(chosen)
    If Len(files) = 0 Or IsWebAddress(files) Then
        Say "Copy these files to a folder of this computer or of a network drive first.", _
            vbInformation
        Exit Sub
    End If
    If HasLists(book) Then
        If MsgBox("The lists that stand in " & book.Name & " now are replaced. Undo last run " & _
            "does not bring them back, because no copy of rows about children is kept." & _
            vbCrLf & vbCrLf & "Replace them?", vbOKCancel + vbQuestion, TITLE) <> vbOK _
            Then Exit Sub
    End If
    StartPython "import", book.FullName, files
End Sub

' -- Buttons that need no Python

Public Sub CscDemandCompare(control As Object)
    Dim book As Object
    Dim place As Object
    Set book = Application.ActiveWorkbook
    If Not IsDemandBook(book) Then Exit Sub
    If Not HasResults(book) Then
        Say "There are no results to compare yet: press Run first.", vbInformation
        Exit Sub
    End If
    Set place = NamedCells(book, NAME_COMPARISON)
    If place Is Nothing Then
        Say "The comparison was not found: sheet Dashboard was changed or deleted.", vbExclamation
        Exit Sub
    End If
    On Error Resume Next
    Application.Goto place.Cells(1, 1), True
    On Error GoTo 0
    If ScenarioCount(book) < 2 Then
        Say "The last run had one scenario only. Add others on sheet Scenarios, or keep what " & _
            "you tried on sheet What-if, and press Run.", vbInformation
    End If
End Sub

Public Sub CscDemandHelp(control As Object)
    Dim book As Object
    Set book = Application.ActiveWorkbook
    If IsDemandBook(book) Then
        On Error Resume Next
        book.Worksheets(SHEET_START).Activate
        On Error GoTo 0
    End If
    Say "Demand model, csc-demand " & Version() & vbCrLf & vbCrLf & _
        "1. New workbook, or open one." & vbCrLf & _
        "2. Import lists: the files with Annex A Lists 3, 7 and 8." & vbCrLf & _
        "3. Check, and mend what sheet Checks names." & vbCrLf & _
        "4. Run, and read the Dashboard." & vbCrLf & _
        "5. Try changes on sheet What-if; keep them as a scenario; Run; Compare." & vbCrLf & _
        "6. Accuracy: how far past forecasts would have been out." & vbCrLf & _
        "7. Levers: what could be done, and what it would do." & vbCrLf & vbCrLf & _
        "Nothing is saved until you save it. Sheet Start says more, and the user guide all.", _
        vbInformation
End Sub

Private Sub StartOnBook(ByVal task As String)
    Dim book As Object
    Set book = Application.ActiveWorkbook
    If IsDemandBook(book) Then StartPython task, book.FullName, ""
End Sub
