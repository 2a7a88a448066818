Attribute VB_Name = "DemandRunner"
Option Explicit

' Starts Python and comes back at once. Python then calls into Excel, says in the status bar
' what it does, and shows its own message at the end. Excel must not wait for it here: while a
' macro runs, Excel takes no calls from outside, and both would wait for each other for ever.
'
' The workbook's full name and the chosen files go into environment variables of this process,
' which the new one inherits: no name is quoted, expanded or cut, whatever characters it holds.

Public Const TITLE As String = "csc-demand"

' Python's place stands in this add-in's own sheet; csc-demand addin install wrote it there.
' It is never read from the user's workbook.
Private Const NAME_PYTHON As String = "csc_demand_python"
Private Const NAME_VERSION As String = "csc_demand_version"

Private Const VARIABLE_BOOK As String = "CSC_DEMAND_BOOK"
Private Const VARIABLE_FILES As String = "CSC_DEMAND_FILES"
Private Const LONGEST_VARIABLE As Long = 32000
Private Const NORMAL_WINDOW As Long = 1
Private Const STARTING As String = "csc-demand: starting ..."
Private Const SECONDS_TO_START As Long = 20

Public Function Python() As String
    Python = OwnText(NAME_PYTHON)
End Function

Public Function Version() As String
    Version = OwnText(NAME_VERSION)
End Function

' Start a command for a workbook; says why, if it cannot be started.
Public Sub StartPython(ByVal task As String, ByVal fullName As String, ByVal files As String)
    Dim text As String
    Dim shell As Object
    Dim surroundings As Object
    Dim reason As String
    On Error GoTo Failed
    text = CommandLine(Python(), task)
    If Len(text) = 0 Or Not FileExists(Python()) Then
        Say "Python is not where it was when this add-in was installed." & vbCrLf & vbCrLf & _
            "Type in a terminal: csc-demand addin install", vbExclamation
        Exit Sub
    End If
    If Len(files) > LONGEST_VARIABLE Then
        Say "These are too many files at once: choose the ones that hold Lists 3, 7 and 8.", _
            vbExclamation
        Exit Sub
    End If
    Set shell = CreateObject("WScript.Shell")
    Set surroundings = shell.Environment("PROCESS")
    surroundings.Item(VARIABLE_BOOK) = fullName
    surroundings.Item(VARIABLE_FILES) = files
    ShowStarting
    shell.Run text, NORMAL_WINDOW, False
    ForgetNames surroundings
    Exit Sub
Failed:
    reason = Err.Description
    GiveBarBack
    Say "Excel was not allowed to start Python, so nothing was changed (" & reason & ")." & _
        vbCrLf & vbCrLf & "Where your organisation forbids this, use the launcher " & _
        "instead: type csc-demand launcher in a terminal.", vbExclamation
    If Not surroundings Is Nothing Then ForgetNames surroundings
End Sub

Public Sub Say(ByVal text As String, ByVal style As Long)
    MsgBox text, style, TITLE
End Sub

' Called by Excel a little after a start: Python has its own line in the bar by then, or none.
Public Sub CscDemandBarBack()
    GiveBarBack
End Sub

Private Sub ShowStarting()
    Application.StatusBar = STARTING
    Application.OnTime Now + TimeSerial(0, 0, SECONDS_TO_START), _
        "'" & ThisWorkbook.Name & "'!CscDemandBarBack"
End Sub

Private Sub GiveBarBack()
    On Error Resume Next
    If CStr(Application.StatusBar) = STARTING Then Application.StatusBar = False
End Sub

Private Sub ForgetNames(ByVal surroundings As Object)
    On Error Resume Next
    surroundings.Remove VARIABLE_BOOK
    surroundings.Remove VARIABLE_FILES
End Sub

Private Function OwnText(ByVal wanted As String) As String
    OwnText = ""
    On Error Resume Next
    OwnText = CStr(ThisWorkbook.Names(wanted).RefersToRange.Value)
End Function

Private Function FileExists(ByVal path As String) As Boolean
    FileExists = False
    On Error Resume Next
    FileExists = (Len(Dir(path)) > 0)
End Function
