{# The first list's columns whose names the second has not. Types are not looked at. #}
{% macro diff_columns(source_columns, target_columns) %}
    {% set known = target_columns | map(attribute='column') | list %}
    {% do return(source_columns | rejectattr('name', 'in', known) | list) %}
{% endmacro %}

{% macro diff_column_data_types(source_columns, target_columns) %}
    {% do return(adapter.dispatch('diff_column_data_types', 'dbt')(source_columns, target_columns)) %}
{% endmacro %}

{# Columns that both have, with another type that the target's cannot be widened to. #}
{% macro default__diff_column_data_types(source_columns, target_columns) %}
    {% set changed = [] %}
    {% for col in source_columns %}
        {% set old = target_columns | selectattr('name', 'equalto', col.name) | list | first %}
        {% if old and col.expanded_data_type != old.expanded_data_type and not col.can_expand_to(other_column=old) %}
            {% do changed.append({'column_name': old.name, 'new_type': col.expanded_data_type}) %}
        {% endif %}
    {% endfor %}
    {% do return(changed) %}
{% endmacro %}
