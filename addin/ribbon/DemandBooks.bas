Attribute VB_Name = "DemandBooks"
Option Explicit

' What can be said of a workbook without asking Python. Nothing here changes anything.

' Defined names of the product's own cells. A workbook is known by them, never by its file name.
Private Const NAME_CHECK As String = "master_check"
Private Const NAME_CENSUS As String = "setting_census_date"
Private Const NAME_HEADLINES As String = "dash_headlines"
Private Const NAME_SCENARIOS As String = "scenario_names"

' No path on a computer with Excel can hold it.
Public Const FILE_SEPARATOR As String = "|"

' Whether a workbook was made by csc-demand.
Public Function IsDemandBook(ByVal book As Object) As Boolean
    IsDemandBook = False
    If book Is Nothing Then Exit Function
    IsDemandBook = HasName(book, NAME_CHECK) And HasName(book, NAME_CENSUS)
End Function

' Whether the buttons that work on a workbook are enabled while it is in front.
'
' Compare and Undo are as enabled as the rest. Excel asks only when another workbook comes to the
' front, and Python, which writes the results, cannot make it ask again: after a run Compare would
' stay grey. So each says itself, when it is pressed, that there is nothing to compare or undo.
Public Function ButtonsAreEnabled(ByVal book As Object) As Boolean
    ButtonsAreEnabled = IsDemandBook(book)
End Function

' Whether a run has written its results.
Public Function HasResults(ByVal book As Object) As Boolean
    HasResults = FilledCells(NamedCells(book, NAME_HEADLINES)) > 0
End Function

' How many scenarios the last run wrote for comparison.
Public Function ScenarioCount(ByVal book As Object) As Long
    ScenarioCount = FilledCells(NamedCells(book, NAME_SCENARIOS))
End Function

' Whether any of the three list sheets holds rows.
Public Function HasLists(ByVal book As Object) As Boolean
    HasLists = SheetIsFilled(book, "List 3") Or SheetIsFilled(book, "List 7") _
        Or SheetIsFilled(book, "List 8")
End Function

Public Function HasName(ByVal book As Object, ByVal wanted As String) As Boolean
    HasName = Not NamedCells(book, wanted) Is Nothing
End Function

' The cells of a defined name; Nothing if it is not there, or its cells were deleted.
Public Function NamedCells(ByVal book As Object, ByVal wanted As String) As Object
    Set NamedCells = Nothing
    On Error Resume Next
    Set NamedCells = book.Names(wanted).RefersToRange
End Function

' Whether a sheet holds anything below its headings.
Public Function SheetIsFilled(ByVal book As Object, ByVal wanted As String) As Boolean
    Dim sheet As Object
    Dim used As Object
    SheetIsFilled = False
    On Error Resume Next
    Set sheet = book.Worksheets(wanted)
    If sheet Is Nothing Then Exit Function
    Set used = sheet.UsedRange
    With Application.WorksheetFunction
        SheetIsFilled = .CountA(used) > .CountA(used.Rows(1))
    End With
End Function

' Cells that show anything; 0 for Nothing.
Public Function FilledCells(ByVal cells As Object) As Long
    Dim cell As Object
    FilledCells = 0
    If cells Is Nothing Then Exit Function
    For Each cell In cells
        If Len(Trim(CStr(cell.Text))) > 0 Then FilledCells = FilledCells + 1
    Next cell
End Function

' The chosen files as one text; empty where a name could not be taken apart again.
Public Function JoinedFiles(ByVal chosen As Variant) As String
    Dim index As Long
    Dim joined As String
    JoinedFiles = ""
    If Not IsArray(chosen) Then Exit Function
    joined = ""
    For index = LBound(chosen) To UBound(chosen)
        If InStr(CStr(chosen(index)), FILE_SEPARATOR) > 0 Then Exit Function
        If Len(joined) > 0 Then joined = joined & FILE_SEPARATOR
        joined = joined & CStr(chosen(index))
    Next index
    JoinedFiles = joined
End Function

' Whether a name is an address on the web, not a path.
Public Function IsWebAddress(ByVal fullName As String) As Boolean
    IsWebAddress = InStr(fullName, "://") > 0
End Function

' The command line; empty where the path of Python could be read in another way.
' Nothing of a workbook, not even its name, is part of it.
Public Function CommandLine(ByVal python As String, ByVal task As String) As String
    CommandLine = ""
    If Len(python) = 0 Then Exit Function
    If InStr(python, """") > 0 Or InStr(python, "%") > 0 Then Exit Function
    If Not IsPlainWord(task) Then Exit Function
    CommandLine = """" & python & """ -P -m demand_addin.live " & task & " --box"
End Function

' Whether a text is small letters only.
Public Function IsPlainWord(ByVal text As String) As Boolean
    Dim index As Long
    Dim code As Long
    IsPlainWord = False
    If Len(text) = 0 Then Exit Function
    For index = 1 To Len(text)
        code = AscW(Mid(text, index, 1))
        If code < 97 Or code > 122 Then Exit Function
    Next index
    IsPlainWord = True
End Function
