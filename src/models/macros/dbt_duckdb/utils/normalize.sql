{# A text as a list of one; a list as it is; nothing as an empty list. #}
{%- macro normalize_string_or_list(raw, field_name) -%}
    {%- if raw is none -%}
        {%- do return([]) -%}
    {%- elif raw is string -%}
        {%- do return([raw]) -%}
    {%- elif raw is mapping or raw is not sequence -%}
        {%- do exceptions.raise_compiler_error(field_name ~ ' is a text or a list of texts, not ' ~ raw) -%}
    {%- elif raw | reject('string') | list -%}
        {%- do exceptions.raise_compiler_error(field_name ~ ' holds something that is not a text: ' ~ raw) -%}
    {%- endif -%}
    {%- do return(raw | list) -%}
{%- endmacro -%}
